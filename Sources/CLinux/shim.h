#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Macros of several casts, which Swift does not import. */
static inline int millrace_nofile_limit(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit); }
static inline int millrace_set_nofile_limit(const struct rlimit *limit) { return setrlimit(RLIMIT_NOFILE, limit); }

static inline double millrace_processor_seconds(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Two words of memory that another process reads after this one has died: stores that no compiler may drop. */
static inline void millrace_mark(void *page, int64_t source, int64_t offset) {
  volatile int64_t *words = page;
  words[0] = 0;
  words[1] = offset;
  words[0] = source;
}

/* Processes whose parent ends become this one's children. */
static inline int millrace_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

extern char **environ;
static inline char **millrace_environment(void) { return environ; }

/* As a shell tells it: the exit status, or 128 and the signal. */
static inline int32_t millrace_exit_status(int32_t status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A file that is in no folder, open for whoever it is handed to. */
static inline int millrace_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 0); }
