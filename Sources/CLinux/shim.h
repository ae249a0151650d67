#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A macro of several casts, which Swift does not import. */
static inline int millrace_nofile_limit(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit); }
