#include <libwebsockets.h>

/* Expressions of macros, which Swift does not import. */
static const int millrace_ws_headroom = LWS_PRE;
static const uint64_t millrace_ws_options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                                            LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;

/* A timer and whom it belongs to: the library hands back the timer alone. */
struct millrace_ws_timer {
  lws_sorted_usec_list_t scheduled;
  void *owner;
};

/* A whole small answer to a plain HTTP request. As of a callback: nonzero ends the connection. */
static inline int millrace_ws_respond(struct lws *wsi, unsigned int status, const char *type, const void *body,
                                      size_t count) {
  unsigned char head[LWS_PRE + 1024], *start = head + LWS_PRE, *at = start, *end = head + sizeof(head) - 1;
  unsigned char content[LWS_PRE + 1024];
  if (count > sizeof(content) - LWS_PRE) count = sizeof(content) - LWS_PRE;
  if (lws_add_http_common_headers(wsi, status, type, count, &at, end)) return 1;
  if (lws_finalize_write_http_header(wsi, start, &at, end)) return 1;
  memcpy(content + LWS_PRE, body, count);
  if (lws_write(wsi, content + LWS_PRE, count, LWS_WRITE_HTTP_FINAL) != (int)count) return 1;
  return lws_http_transaction_completed(wsi);
}
