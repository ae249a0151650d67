#include <microhttpd.h>

/* Variadic, which Swift does not import. One internal thread, the best way to poll there is, no log of its own. */
static inline struct MHD_Daemon *millrace_http_start(int listening, MHD_AccessHandlerCallback answer, void *context,
                                                     unsigned int connections, unsigned int timeout_seconds,
                                                     size_t head_bytes) {
  return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer, context,
                          MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listening,
                          MHD_OPTION_CONNECTION_LIMIT, connections,
                          MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, head_bytes,
                          MHD_OPTION_END);
}

/* Versions differ in whether Swift sees these enums as closed, hence in the names of their cases. */
static const enum MHD_Result millrace_http_yes = MHD_YES;
static const enum MHD_Result millrace_http_no = MHD_NO;

/* A response with a copy of the body; NULL when out of memory. */
static inline struct MHD_Response *millrace_http_response(const void *body, size_t count) {
  return MHD_create_response_from_buffer(count, (void *)body, MHD_RESPMEM_MUST_COPY);
}
