#include "CWebSockets.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

/* Nobody is there to ask for a password. */
static int no_password(char *buffer, int size, int writes, void *data) {
  (void)buffer, (void)size, (void)writes, (void)data;
  return -1;
}

static int refuse(const char *what, const char *path, char *reason, size_t size) {
  unsigned long code = ERR_peek_last_error();
  const char *detail = code ? ERR_reason_error_string(code) : NULL;
  snprintf(reason, size, "%s %s%s%s", path, what, detail ? ": " : "", detail ? detail : "");
  ERR_clear_error();
  return -1;
}

int millrace_web_check_certificate(const char *certificate, const char *key, char *reason, size_t size) {
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context) return refuse("can't be checked", certificate, reason, size);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  int result = 0;
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
    result = refuse("is no certificate", certificate, reason, size);
  } else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    result = refuse("is no key of the certificate", key, reason, size);
  } else if (SSL_CTX_check_private_key(context) != 1) {
    result = refuse("is not the certificate's key", key, reason, size);
  } else if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context))) < 0) {
    result = refuse("has expired", certificate, reason, size);
  }
  SSL_CTX_free(context);
  return result;
}
