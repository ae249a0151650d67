# shellcheck shell=sh
# What each `peer` has in common. It sets `name` and `here`, sources this, and defines about, install_peer and run_peer.

home=${MILLRACE_PEERS:-/var/tmp/millrace-peers}/$name

unavailable() {
  echo "$name: $*" >&2
  exit 69
}

# Runs the last step of an install when what it is made from has changed, and keeps quiet unless it fails.
install_once() { # stamp's content, command...
  stamp=$1
  shift
  [ "$(cat "$home/installed" 2>/dev/null)" != "$stamp" ] || return 0
  rm -rf "$home"
  mkdir -p "$home"
  "$@" >"$home/install.log" 2>&1 || unavailable "$* answered: $(grep -E 'ERROR|error' "$home/install.log" | head -n 3)"
  echo "$stamp" >"$home/installed"
}

# The jars that pom.xml names and what they need, into $home/libs.
jars() {
  command -v mvn >/dev/null || unavailable "there is no maven"
  mvn -q -B -f "$here/pom.xml" -DincludeScope=runtime -DoutputDirectory="$home/libs" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
}

# The packages that requirements.txt pins, into $home/python.
packages() {
  python3 -m venv "$home/python" && "$home/python/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
}

# A consumer group for each state, so that a new state begins at the earliest offset and an old one goes on.
consumer_group() {
  [ -e "$STATE/group" ] || echo "$name-$(cat /proc/sys/kernel/random/uuid)" >"$STATE/group"
  cat "$STATE/group"
}

sql() { # statements
  psql -qXAt -v ON_ERROR_STOP=1 -c "$1"
}

# For variants whose product tells doubles by a key.
ensure_key() {
  sql "DO \$\$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = '$TABLE'::regclass AND indisprimary) THEN
      ALTER TABLE $TABLE ADD PRIMARY KEY (seq);
    END IF;
  END \$\$"
}

main() {
  case ${1:-} in
    about) about ;;
    install) install_peer ;;
    run)
      case ${2:-} in shipped | tuned) ;; *) set -- ;; esac
      [ $# -gt 0 ] && : "${BROKERS:?}" "${TOPIC:?}" "${PARTITIONS:?}" "${PGHOST:?}" "${PGDATABASE:?}" "${TABLE:?}" "${STATE:?}" ||
        { echo "usage: peer about | install | run shipped|tuned" >&2 && exit 64; }
      [ -e "$home/installed" ] || unavailable "not installed: peer install"
      run_peer "$2"
      ;;
    *)
      echo "usage: peer about | install | run shipped|tuned" >&2
      exit 64
      ;;
  esac
}
