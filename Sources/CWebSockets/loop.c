#define _GNU_SOURCE
#include "CWebSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of one turn: what is left comes with the next. */
enum { event_limit = 256, accept_limit = 64 };

/* The library copies what the kernel does not take of what is encrypted. */
enum { piece_limit = 64 * 1024 };

/* Why a connection is read from no further; the server has a reason of its own. */
static const int awaits_pong = LWS_RXFLOW_REASON_APPLIES | 2;
static const int pong_is_written = LWS_RXFLOW_REASON_APPLIES | LWS_RXFLOW_REASON_APPLIES_ENABLE_BIT | 2;

struct socket {
  /* Of the library, while it is known. */
  struct lws *wsi;
  /* What the kernel watches for. */
  uint32_t armed;
  bool is_watched, is_known, wants_read, wants_write, is_ready, is_asked;
  /* The kernel took less than it was given, and says when it takes more. */
  bool is_full;
  /* Of a connection that is an open WebSocket: its first frame is still to come. */
  bool is_open, is_new;
  /* It is read from no further until it could write so often: its pong, and what the server has for it. */
  unsigned char holds;
  /* How often the library had bytes left to read when the WebSocket was opened. */
  unsigned long leftovers;
};

struct millrace_web_loop {
  int epoll, listener;
  struct millrace_web_events events;
  /* By descriptor. */
  struct socket *sockets;
  int socket_count;
  /* Descriptors of connections that have something to write and may take it, one entry each. */
  int *ready, *serving;
  int ready_count, ready_room;
  /* The library serves connections; it has called the server; the server was asked what to write, in this service. */
  bool is_serving, is_telling, has_asked;
  unsigned long leftovers;
};

/* The library's own part of a loop holds a pointer to ours. */
struct part {
  struct millrace_web_loop *loop;
};

static struct millrace_web_loop *loop_of(struct lws *wsi) {
  return ((struct part *)lws_evlib_wsi_to_evlib_pt(wsi))->loop;
}

static bool make_room(struct millrace_web_loop *loop, int descriptor) {
  if (descriptor < loop->socket_count) return true;
  int count = loop->socket_count ? loop->socket_count : 256;
  while (count <= descriptor) count *= 2;
  struct socket *sockets = realloc(loop->sockets, (size_t)count * sizeof *sockets);
  if (!sockets) return false;
  loop->sockets = sockets;
  memset(sockets + loop->socket_count, 0, (size_t)(count - loop->socket_count) * sizeof *sockets);
  int *ready = realloc(loop->ready, (size_t)count * sizeof *ready);
  if (ready) loop->ready = ready;
  int *serving = realloc(loop->serving, (size_t)count * sizeof *serving);
  if (serving) loop->serving = serving;
  if (!ready || !serving) return false;
  loop->socket_count = loop->ready_room = count;
  return true;
}

static void arm(struct millrace_web_loop *loop, int descriptor, bool writes) {
  struct socket *socket = &loop->sockets[descriptor];
  uint32_t wanted = (socket->wants_read ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0);
  if (wanted == socket->armed) return;
  struct epoll_event event = {.events = wanted, .data.fd = descriptor};
  if (!epoll_ctl(loop->epoll, EPOLL_CTL_MOD, descriptor, &event)) socket->armed = wanted;
}

static void make_ready(struct millrace_web_loop *loop, int descriptor) {
  if (loop->sockets[descriptor].is_ready) return;
  loop->sockets[descriptor].is_ready = true;
  loop->ready[loop->ready_count++] = descriptor;
}

static int added(struct lws *wsi) {
  struct millrace_web_loop *loop = loop_of(wsi);
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || !make_room(loop, descriptor)) return 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event)) return 1;
  bool is_ready = loop->sockets[descriptor].is_ready;
  loop->sockets[descriptor] =
      (struct socket){.wsi = wsi, .armed = EPOLLIN, .is_known = true, .wants_read = true, .is_ready = is_ready};
  return 0;
}

static int removed(struct lws *wsi) {
  struct millrace_web_loop *loop = loop_of(wsi);
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || descriptor >= loop->socket_count || !loop->sockets[descriptor].is_known) return 0;
  /* An entry among the ready ones stays until its turn, and is passed over then. */
  bool is_ready = loop->sockets[descriptor].is_ready;
  loop->sockets[descriptor] = (struct socket){.is_ready = is_ready};
  epoll_ctl(loop->epoll, EPOLL_CTL_DEL, descriptor, NULL);
  return 0;
}

static void changed(struct lws *wsi, unsigned int flags) {
  struct millrace_web_loop *loop = loop_of(wsi);
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || descriptor >= loop->socket_count || !loop->sockets[descriptor].is_known) return;
  struct socket *socket = &loop->sockets[descriptor];
  bool starts = flags & LWS_EV_START, was_writing = socket->wants_write;
  if (flags & LWS_EV_READ) socket->wants_read = starts;
  if (flags & LWS_EV_WRITE) socket->wants_write = starts;
  /* Encrypted connections also want to write while they wait for the other side: the kernel knows better. */
  bool waits = socket->wants_write && (lws_partial_buffered(wsi) || lws_is_ssl(wsi));
  arm(loop, descriptor, waits || socket->is_full);
  if (socket->wants_write && !waits && !socket->is_full) make_ready(loop, descriptor);
  /* The library itself wants to write what it has read about: a pong. It has room for one and drops the pings behind it, so
     these stay unread until then. */
  if (socket->is_open && !socket->holds && starts && (flags & LWS_EV_WRITE) && loop->is_serving && !loop->is_telling) {
    /* Or it passes on that the server wants to write again. */
    bool is_servers = loop->has_asked && !was_writing;
    loop->has_asked = false;
    if (is_servers) return;
    /* What is decrypted the library reads to its end, or gives up. */
    SSL *ssl = lws_get_ssl(wsi);
    if (ssl && SSL_pending(ssl)) return;
    socket->holds = 2;
    lws_rx_flow_control(wsi, awaits_pong);
  }
}

void millrace_web_ask(struct lws *wsi) {
  struct millrace_web_loop *loop = loop_of(wsi);
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || descriptor >= loop->socket_count || !loop->sockets[descriptor].is_known || lws_is_ssl(wsi)) {
    lws_callback_on_writable(wsi);
    return;
  }
  loop->sockets[descriptor].is_asked = true;
  if (!loop->sockets[descriptor].is_full) make_ready(loop, descriptor);
}

ssize_t millrace_web_send(struct lws *wsi, const unsigned char *bytes, size_t count) {
  struct millrace_web_loop *loop = loop_of(wsi);
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || descriptor >= loop->socket_count || !loop->sockets[descriptor].is_known) return -1;
  if (lws_is_ssl(wsi)) {
    if (lws_partial_buffered(wsi)) return 0;
    if (count > piece_limit) count = piece_limit;
    /* Complete frames of a server are not changed by writing them. */
    return lws_write(wsi, (unsigned char *)bytes, count, LWS_WRITE_RAW) < 0 ? -1 : (ssize_t)count;
  }
  ssize_t taken = send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
  if (taken < 0) taken = 0;
  if ((size_t)taken < count) {
    loop->sockets[descriptor].is_full = true;
    arm(loop, descriptor, true);
  }
  return taken;
}

static int began(struct lws_context *context, void *loop, int thread) {
  ((struct part *)lws_evlib_tsi_to_evlib_pt(context, thread))->loop = loop;
  return 0;
}

static const struct lws_event_loop_ops operations = {
    .name = "millrace",
    .init_pt = began,
    .init_vhost_listen_wsi = added,
    .sock_accept = added,
    .io = changed,
    .wsi_logical_close = removed,
    .evlib_size_pt = sizeof(struct part),
};

static const lws_plugin_evlib_t library = {
    .hdr = {.name = "millrace",
            ._class = "lws_evlib_plugin",
            .lws_build_hash = LWS_BUILD_HASH,
            .api_magic = LWS_PLUGIN_API_MAGIC},
    .ops = &operations,
};

struct millrace_web_loop *millrace_web_loop_make(int listener, struct millrace_web_events events) {
  struct millrace_web_loop *loop = calloc(1, sizeof *loop);
  if (!loop) return NULL;
  *loop = (struct millrace_web_loop){.listener = listener, .events = events};
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll >= 0 && make_room(loop, 0)) return loop;
  int code = errno;
  millrace_web_loop_free(loop);
  errno = code;
  return NULL;
}

void millrace_web_loop_free(struct millrace_web_loop *loop) {
  if (loop->epoll >= 0) close(loop->epoll);
  free(loop->sockets);
  free(loop->ready);
  free(loop->serving);
  free(loop);
}

struct lws_context *millrace_web_context(struct millrace_web_loop *loop, struct lws_context_creation_info *info) {
  void *loops[] = {loop};
  info->event_lib_custom = &library;
  info->foreign_loops = loops;
  info->user = loop;
  return lws_create_context(info);
}

int millrace_web_watch(struct millrace_web_loop *loop, int descriptor, int on) {
  if (!make_room(loop, descriptor)) return -1;
  loop->sockets[descriptor] = (struct socket){.is_watched = on, .is_ready = loop->sockets[descriptor].is_ready};
  struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
  return epoll_ctl(loop->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, descriptor, &event);
}

void millrace_web_listen(struct millrace_web_loop *loop, int on) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->listener};
  epoll_ctl(loop->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, loop->listener, &event);
}

static void accept_all(struct millrace_web_loop *loop) {
  for (int i = 0; i < accept_limit; i++) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int descriptor = accept4(loop->listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      /* Out of descriptors: it would be told again and again. The server listens again after a while. */
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) millrace_web_listen(loop, 0);
      return;
    }
    char address[INET6_ADDRSTRLEN] = "";
    const void *bytes = peer.ss_family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)&peer)->sin6_addr
                                                   : (const void *)&((struct sockaddr_in *)&peer)->sin_addr;
    inet_ntop(peer.ss_family, bytes, address, sizeof address);
    loop->events.accepted(loop->events.owner, descriptor, address);
  }
}

static int serve(struct millrace_web_loop *loop, struct lws_context *context, int descriptor, short happened) {
  struct socket *socket = &loop->sockets[descriptor];
  struct lws_pollfd entry = {.fd = descriptor, .revents = happened};
  entry.events = (short)((socket->wants_read ? LWS_POLLIN : 0) | (socket->wants_write ? LWS_POLLOUT : 0));
  /* What was written before comes first. */
  bool writes = socket->holds && (happened & LWS_POLLOUT) && !lws_partial_buffered(socket->wsi);
  loop->is_serving = true;
  loop->has_asked = false;
  int result = lws_service_fd(context, &entry);
  loop->is_serving = false;
  socket = &loop->sockets[descriptor];
  if (writes && result >= 0 && socket->is_known && socket->holds) {
    socket->holds = socket->wants_write ? socket->holds - 1 : 0;
    if (!socket->holds) lws_rx_flow_control(socket->wsi, pong_is_written);
  }
  return result;
}

/* Clients mask their frames (RFC 6455, section 5.1), and the library does not look: so the first frame's head is looked at, unless
   a part of it was read with the request. Who masks the first and not the next is let be. */
static bool is_unmasked(struct socket *socket, int descriptor) {
  unsigned char head[2];
  SSL *ssl = lws_get_ssl(socket->wsi);
  ssize_t count = ssl ? SSL_peek(ssl, head, sizeof head) : recv(descriptor, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
  if (ssl && count <= 0) ERR_clear_error();
  return count == sizeof head && !(head[1] & 0x80);
}

/* False: it is the library's turn. It has something to write first, or to end the connection, and asks again by itself. */
static bool tell(struct millrace_web_loop *loop, struct socket *socket) {
  struct lws *wsi = socket->wsi;
  bool is_busy = socket->wants_write || socket->armed & EPOLLOUT || lws_partial_buffered(wsi);
  if (!is_busy && !loop->events.told(loop->events.owner, wsi, LWS_CALLBACK_SERVER_WRITEABLE, lws_wsi_user(wsi), NULL, 0))
    return true;
  lws_callback_on_writable(wsi);
  return false;
}

int millrace_web_turn(struct millrace_web_loop *loop, struct lws_context *context, int milliseconds) {
  struct epoll_event events[event_limit];
  int timeout = lws_service_adjust_timeout(context, milliseconds, 0);
  /* What it has read and not looked at comes before what may be written. */
  if (timeout == 0) {
    loop->is_serving = true;
    loop->has_asked = false;
    if (_lws_plat_service_forced_tsi(context, 0)) loop->leftovers++;
    loop->is_serving = false;
  }
  int count = epoll_wait(loop->epoll, events, event_limit, loop->ready_count ? 0 : timeout);
  for (int i = 0; i < count; i++) {
    int descriptor = events[i].data.fd;
    if (descriptor == loop->listener) {
      accept_all(loop);
    } else if (descriptor < loop->socket_count && loop->sockets[descriptor].is_watched) {
      loop->events.readable(loop->events.owner, descriptor);
    } else if (descriptor < loop->socket_count && loop->sockets[descriptor].is_known) {
      short happened = 0;
      if (events[i].events & EPOLLIN) happened |= LWS_POLLIN;
      if (events[i].events & EPOLLOUT) happened |= LWS_POLLOUT;
      if (events[i].events & (EPOLLHUP | EPOLLERR)) happened |= LWS_POLLHUP;
      struct socket *socket = &loop->sockets[descriptor];
      if (socket->is_full && (happened & LWS_POLLOUT)) {
        /* Ours to go on with; what the library wants to write comes when that is done. */
        socket->is_full = false;
        arm(loop, descriptor, false);
        make_ready(loop, descriptor);
        happened &= ~LWS_POLLOUT;
        if (!happened) continue;
      }
      if (socket->is_new && (happened & LWS_POLLIN)) {
        socket->is_new = false;
        bool is_unread = socket->leftovers == loop->leftovers;
        if (is_unread && is_unmasked(socket, descriptor)) loop->events.unmasked(loop->events.owner, socket->wsi);
      }
      serve(loop, context, descriptor, happened);
    }
  }
  /* Those that become ready meanwhile have their turn after what has been read then. */
  int *serving = loop->ready;
  int serving_count = loop->ready_count;
  loop->ready = loop->serving;
  loop->serving = serving;
  loop->ready_count = 0;
  for (int i = 0; i < serving_count; i++) {
    int descriptor = loop->serving[i];
    struct socket *socket = &loop->sockets[descriptor];
    socket->is_ready = false;
    if (!socket->is_known) continue;
    if (socket->is_full) continue;
    if (socket->is_asked) {
      socket->is_asked = false;
      if (tell(loop, socket)) continue;
      socket = &loop->sockets[descriptor];
    }
    if (!socket->is_known || !socket->wants_write || socket->armed & EPOLLOUT) continue;
    if (serve(loop, context, descriptor, LWS_POLLOUT) < 0) continue;
    socket = &loop->sockets[descriptor];
    /* It has more, and nobody said so again: it was asked for while it was being served. */
    if (socket->is_known && socket->wants_write && !(socket->armed & EPOLLOUT)) make_ready(loop, descriptor);
  }
  return 0;
}

static void opened(struct millrace_web_loop *loop, struct lws *wsi) {
  int descriptor = lws_get_socket_fd(wsi);
  if (descriptor < 0 || descriptor >= loop->socket_count || !loop->sockets[descriptor].is_known) return;
  struct socket *socket = &loop->sockets[descriptor];
  socket->is_open = socket->is_new = true;
  socket->leftovers = loop->leftovers;
}

int millrace_web_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  switch (reason) {
    /* CONNECT: the library would hold such a connection for ever. */
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX: return -1;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      /* An unknown upgrade the library has refused by itself; of the request nothing is left. */
      if (!lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE)) return -1;
      /* Java's client asks for HTTP/2 at each request. This may be ignored (RFC 9110, section 7.8): the library then goes by the
         name that it finds here. */
      if (!strcasecmp(in, "h2c")) return *(char *)in = 0;
      /* fallthrough */
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLOSED: {
      struct millrace_web_loop *loop = lws_context_user(lws_get_context(wsi));
      bool was_telling = loop->is_telling;
      loop->is_telling = true;
      int result = loop->events.told(loop->events.owner, wsi, reason, user, in, len);
      loop->is_telling = was_telling;
      if (reason == LWS_CALLBACK_ESTABLISHED) opened(loop, wsi);
      if (reason == LWS_CALLBACK_SERVER_WRITEABLE) loop->has_asked = true;
      return result;
    }
    default: return lws_callback_http_dummy(wsi, reason, user, in, len);
  }
}
