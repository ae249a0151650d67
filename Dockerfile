# One image, three programs: coordinator (the entry point), shard-worker, which it spawns, and ws-edge.
#
#   docker build -t millrace .
#   docker run millrace --help
#
# deploy/compose.yaml runs a fleet of it with Kafka and Postgres. The image has no broker, no database and no secret.
ARG DEBIAN=debian:trixie-slim

FROM ${DEBIAN} AS build
WORKDIR /src
# Before the sources, which change more often.
COPY scripts/dependencies scripts/patiently scripts/
RUN scripts/dependencies swift build
COPY scripts scripts
COPY Package.swift Package.swift
COPY Sources Sources
# The manifest names their folders; none of it is built.
COPY Tests Tests
COPY Benchmarks Benchmarks
RUN scripts/release coordinator shard-worker ws-edge
COPY deploy deploy
RUN scripts/install install /out /usr coordinator shard-worker ws-edge
# The packages of the libraries that the programs name.
RUN objdump -p /out/usr/bin/coordinator /out/usr/bin/shard-worker /out/usr/bin/ws-edge \
    | awk '$1 == "NEEDED" { print $2 }' | sort -u \
    | while read -r library; do dpkg -S "*/$library"; done \
    | sed -n 's/^\([a-z0-9.+-]*\):.*/\1/p' | sort -u >/out/usr/share/doc/millrace/packages

FROM ${DEBIAN}
COPY --from=build /out/ /
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
       ca-certificates curl libjs-chart.js libjs-leaflet $(cat /usr/share/doc/millrace/packages) \
    && rm -rf /var/lib/apt/lists/*
RUN ! ldd /usr/bin/coordinator /usr/bin/shard-worker /usr/bin/ws-edge | grep 'not found'
# What a fleet keeps while it runs is in /run/millrace, which edges on this host share.
RUN groupadd --gid 10001 millrace \
    && useradd --uid 10001 --gid millrace --home-dir /var/lib/millrace --create-home --shell /usr/sbin/nologin millrace \
    && install -d -o millrace -g millrace -m 0711 /run/millrace
USER 10001:10001
WORKDIR /var/lib/millrace
ENV MILLRACE_RUNTIME_DIR=/run/millrace MILLRACE_WAIT=true MILLRACE_METRICS=0.0.0.0:9464 MILLRACE_LISTEN=0.0.0.0:8080
EXPOSE 8080 9464
# Of the coordinator. An edge answers on its own port: see deploy/compose.yaml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:9464/livez"]
ENTRYPOINT ["coordinator"]
CMD ["start"]
