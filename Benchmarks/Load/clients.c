#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { BUFFER = 1 << 20, FRAME_LIMIT = 1 << 16 };

struct client {
  int socket;
  struct place place;
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void send_all(int socket, const void *bytes, size_t count) {
  for (const char *at = bytes; count > 0;) {
    ssize_t sent = send(socket, at, count, MSG_NOSIGNAL);
    if (sent < 0) die("send");
    at += sent;
    count -= sent;
  }
}

// A text frame as clients send it (RFC 6455, section 5.2), masked with zeros.
static void send_frame(int socket, const char *text) {
  size_t length = strlen(text), at = 0;
  unsigned char frame[FRAME_LIMIT] = {0x81};
  if (length + 8 > sizeof frame) exit(64);
  if (length < 126) {
    frame[1] = 0x80 | length;
    at = 2;
  } else {
    frame[1] = 0x80 | 126;
    frame[2] = length >> 8;
    frame[3] = length;
    at = 4;
  }
  memcpy(frame + at + 4, text, length);
  send_all(socket, frame, at + 4 + length);
}

static int connect_client(int port, const char *path, const char *subprotocol) {
  int created = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(created, (struct sockaddr *)&address, sizeof address)) die("connect");
  setsockopt(created, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char text[2048];
  int length = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                        path, port, *subprotocol ? "Sec-WebSocket-Protocol: " : "", subprotocol, *subprotocol ? "\r\n" : "");
  send_all(created, text, length);
  // The answer, and not a byte of what follows.
  size_t read = 0;
  while (read < 4 || memcmp(text + read - 4, "\r\n\r\n", 4)) {
    if (read + 1 == sizeof text || recv(created, text + read, 1, 0) != 1) die("handshake");
    read++;
  }
  if (strncmp(text, "HTTP/1.1 101", 12)) {
    text[read] = 0;
    fputs(text, stderr);
    exit(1);
  }
  fcntl(created, F_SETFL, O_NONBLOCK);
  return created;
}

int clients(int count, char **arguments) {
  if (count < 8) return 64;
  int port = atoi(arguments[2]), number = atoi(arguments[5]);
  double warm = atof(arguments[6]), seconds = atof(arguments[7]);
  struct rlimit files = {number + 64, number + 64};
  if (setrlimit(RLIMIT_NOFILE, &files)) die("setrlimit");
  struct client *all = calloc(number, sizeof *all);
  int events = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < number; i++) {
    all[i].socket = connect_client(port, arguments[3], arguments[4]);
    all[i].place.last = -1;
    for (int frame = 8; frame < count; frame++) send_frame(all[i].socket, arguments[frame]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    if (epoll_ctl(events, EPOLL_CTL_ADD, all[i].socket, &event)) die("epoll_ctl");
  }
  struct tally tally = {0};
  int64_t from = nanoseconds(CLOCK_REALTIME) + warm * 1e9, to = from + seconds * 1e9;
  puts("ready");
  fflush(stdout);
  char *buffer = malloc(BUFFER);
  // Who is behind has a while to come.
  while (nanoseconds(CLOCK_REALTIME) < to + 3000000000) {
    struct epoll_event found[256];
    int ready = epoll_wait(events, found, 256, 100);
    for (int i = 0; i < ready; i++) {
      struct client *client = found[i].data.ptr;
      ssize_t received = recv(client->socket, buffer, BUFFER, 0);
      if (received == 0) {
        fputs("the server closed a connection\n", stderr);
        exit(1);
      }
      if (received < 0 && errno != EAGAIN && errno != EINTR) die("recv");
      if (received > 0) tally_add(&tally, &client->place, buffer, received, from, to);
    }
  }
  tally_print(&tally);
  return 0;
}
