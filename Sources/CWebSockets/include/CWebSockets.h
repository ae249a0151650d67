#ifndef MILLRACE_CWEBSOCKETS_H
#define MILLRACE_CWEBSOCKETS_H

#include <libwebsockets.h>

/* Expressions of macros, which Swift does not import. */
static const uint64_t millrace_web_options = LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
static const uint64_t millrace_web_tls_option = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
static const int millrace_web_no_listener = CONTEXT_PORT_NO_LISTEN_SERVER;
/* Complete frames, which the library passes on as they are. */
static const int millrace_web_raw = LWS_WRITE_RAW;

/* What a loop tells its server. All on the loop's thread. */
struct millrace_web_events {
  /* Somebody connects; the descriptor is the callee's. */
  void (*accepted)(void *owner, int descriptor, const char *address);
  /* A descriptor that is watched is readable. */
  void (*readable)(void *owner, int descriptor);
  /* What the library tells of a connection, without its reports about descriptors. */
  int (*told)(void *owner, struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
  /* The first frame of a WebSocket is not masked. */
  void (*unmasked)(void *owner, struct lws *wsi);
  void *owner;
};

/* The loop around the library: epoll, instead of a poll(2) over a table of all connections at each turn. A connection
   that has something to write is asked at once in the next turn; only one that took less than it was given waits for the
   kernel to say that it takes more. */
struct millrace_web_loop;

/* NULL with errno set. `listener` is the caller's, and outlives the loop. */
struct millrace_web_loop *millrace_web_loop_make(int listener, struct millrace_web_events events);
void millrace_web_loop_free(struct millrace_web_loop *loop);

/* Makes the library's context on this loop; NULL when it can't. Fills in what belongs to the loop. */
struct lws_context *millrace_web_context(struct millrace_web_loop *loop, struct lws_context_creation_info *info);

/* Has a WebSocket told LWS_CALLBACK_SERVER_WRITEABLE in the next turn. As lws_callback_on_writable(), but not by way of the
   library, which passes each of a hundred thousand a second through its poll table and its state machine: it is only asked
   where it has something of its own to write, such as what the kernel did not take. */
void millrace_web_ask(struct lws *wsi);

/* Hands complete frames of a WebSocket to the kernel, past the library, which would copy what it does not take: how many bytes it
   took, or negative where the connection is of no use. After less than all of a plain connection's it is asked again when it takes
   more, if it was asked for; of an encrypted one a piece is taken, or nothing while the one before is being written. */
ssize_t millrace_web_send(struct lws *wsi, const unsigned char *bytes, size_t count);

/* Waits at most so long for what happens, and handles it. Negative when the context is of no use any more. */
int millrace_web_turn(struct millrace_web_loop *loop, struct lws_context *context, int milliseconds);

/* Tells when a descriptor of the caller's is readable, for as long as it is, or no longer. Nonzero with errno set. */
int millrace_web_watch(struct millrace_web_loop *loop, int descriptor, int on);

/* Accepts no one, or again. */
void millrace_web_listen(struct millrace_web_loop *loop, int on);

/* For protocols' `callback`. */
int millrace_web_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* The header of an unmasked message of so many bytes in one frame (RFC 6455, section 5.2): its length, at most 10. */
static inline size_t millrace_web_message_header(size_t count, int is_binary, unsigned char *header) {
  header[0] = is_binary ? 0x82 : 0x81;
  if (count < 126) return header[1] = (unsigned char)count, 2;
  size_t width = count < 65536 ? 2 : 8;
  header[1] = width == 2 ? 126 : 127;
  for (size_t i = 0; i < width; i++) header[2 + i] = (unsigned char)(count >> (8 * (width - 1 - i)));
  return 2 + width;
}

/* Whether a server could use these files (PEM), which the library does not say: zero, or why not in `reason`. */
int millrace_web_check_certificate(const char *certificate, const char *key, char *reason, size_t size);

#endif
