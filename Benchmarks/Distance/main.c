// A server that is farther away: forwards connections to a Unix socket, and hands on what it reads in either direction so many
// milliseconds later. Prints its port; ends with its standard input.
//
//     distance SOCKET MILLISECONDS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// What is on its way in one direction: bytes in a ring, and when which of them are due.
enum { RING = 16 << 20, CHUNK = 64 << 10, DUE = 4096 };
struct way {
  int from, to, is_ended;
  char *bytes;
  size_t read, written;
  struct {
    size_t end;
    double at;
  } due[DUE];
  size_t first, last;
};

static const char *path;
static double delay;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int has_room(const struct way *way) {
  return !way->is_ended && way->read - way->written + CHUNK <= RING && way->last - way->first < DUE;
}

// Up to where bytes are due.
static size_t due_end(const struct way *way, double time) {
  size_t end = way->written;
  for (size_t i = way->first; i < way->last && way->due[i % DUE].at <= time; i++) end = way->due[i % DUE].end;
  return end;
}

static int take(struct way *way) {
  size_t place = way->read % RING, room = RING - place < CHUNK ? RING - place : CHUNK;
  ssize_t count = recv(way->from, way->bytes + place, room, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) way->is_ended = 1;
  if (count <= 0) return 1;
  way->read += count;
  way->due[way->last % DUE].end = way->read;
  way->due[way->last++ % DUE].at = now() + delay;
  return 1;
}

static int give(struct way *way) {
  size_t end = due_end(way, now());
  while (way->written < end) {
    size_t place = way->written % RING, count = end - way->written;
    if (count > RING - place) count = RING - place;
    ssize_t sent = send(way->to, way->bytes + place, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    way->written += sent;
    while (way->first < way->last && way->due[way->first % DUE].end <= way->written) way->first++;
  }
  return 1;
}

static void *forward(void *client) {
  int down = (int)(long)client, up = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  struct way *ways = calloc(2, sizeof *ways);
  if (connect(up, (struct sockaddr *)&address, sizeof address) == 0) {
    for (int i = 0; i < 2; i++) {
      ways[i].from = i ? up : down;
      ways[i].to = i ? down : up;
      ways[i].bytes = malloc(RING);
    }
    while (1) {
      struct pollfd polls[2] = {{.fd = down}, {.fd = up}};
      double next = 1e18, time = now();
      for (int i = 0; i < 2; i++) {
        struct way *way = &ways[i];
        if (has_room(way)) polls[i].events |= POLLIN;
        if (due_end(way, time) > way->written) polls[1 - i].events |= POLLOUT;
        else if (way->first < way->last && way->due[way->first % DUE].at < next) next = way->due[way->first % DUE].at;
      }
      // Whoever has ended is done when all it sent has arrived.
      if ((ways[0].is_ended && ways[0].read == ways[0].written) || (ways[1].is_ended && ways[1].read == ways[1].written)) break;
      struct timespec wait = {0};
      if (next < 1e18) {
        double left = next > time ? next - time : 0;
        wait.tv_sec = left / 1e3;
        wait.tv_nsec = (left - wait.tv_sec * 1e3) * 1e6;
      }
      for (int i = 0; i < 2; i++)
        if (!polls[i].events) polls[i].fd = -1;
      ppoll(polls, 2, next < 1e18 ? &wait : NULL, NULL);
      int is_well = 1;
      for (int i = 0; i < 2 && is_well; i++) {
        if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) && has_room(&ways[i])) is_well = take(&ways[i]);
        if (is_well) is_well = give(&ways[i]);
      }
      if (!is_well) break;
    }
  }
  close(up);
  close(down);
  free(ways[0].bytes);
  free(ways[1].bytes);
  free(ways);
  return NULL;
}

static void *wait_for_end(void *unused) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  exit(0);
  return unused;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: distance SOCKET MILLISECONDS\n");
    return 64;
  }
  path = arguments[1];
  delay = atof(arguments[2]);
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64) ||
      getsockname(listener, (struct sockaddr *)&address, &size)) {
    perror("listen");
    return 1;
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_end, NULL);
  while (1) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&thread, NULL, forward, (void *)(long)client) == 0) pthread_detach(thread);
    else close(client);
  }
}
