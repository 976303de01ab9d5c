/*
 * HTTP/1.1 clients in a closed loop, one request under way on each connection. Commands come on standard input,
 * one a line; each is answered by one line of JSON.
 *
 *   run PORT FILE CONNECTIONS MS STATUS BYTES      sends the request in FILE for MS
 *   count PORT FILE CONNECTIONS N STATUS BYTES     the same, N times in all
 *
 * An answer with another status or another number of body bytes has failed. The session id in the request is
 * another one each time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http1.h"
#include "latency.h"

#define CONNECTIONS_MAX 1024
#define TARGETS_MAX 16
#define REQUEST_BYTES_MAX (1 << 20)
#define STALLED_MS 15000
static const char SESSION_ID[] = "session-0000000000000000-00000000000";

typedef struct {
  int fd, busy;
  uint64_t began_ns;
  http1_reader answer;
} client;

static struct {
  int port;
  client *clients[CONNECTIONS_MAX];
} targets[TARGETS_MAX];

static struct {
  int port, status, first_status;
  size_t bytes, first_bytes;
  uint64_t until_ns;
  long left, active, finished, failed;
  latencies whole;
} drive;

static char request[REQUEST_BYTES_MAX];
static size_t request_length;
static char *session;
static uint64_t session_number;
static int poller;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void connect_client(client *self) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)drive.port)};
  int on = 1;
  self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (self->fd < 0 || connect(self->fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
  setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, self->fd, &event) < 0) die("epoll_ctl");
}

static void ended(client *self, int good);

static void begin(client *self) {
  if (drive.left <= 0 || now_ns() >= drive.until_ns) return;
  drive.left--;
  if (self->fd < 0) connect_client(self);
  if (session) {
    char text[sizeof SESSION_ID];
    uint64_t number = ++session_number * 0x9e3779b97f4a7c15ull;
    snprintf(text, sizeof text, "session-%016llx-%011llx", (unsigned long long)number,
             (unsigned long long)(session_number & 0xfffffffffffull));
    memcpy(session, text, sizeof SESSION_ID - 1);
  }
  self->busy = 1;
  self->began_ns = now_ns();
  http1_begin(&self->answer);
  drive.active++;
  /* Waits for room: with one request under way nothing else can be in it. */
  for (size_t sent = 0; sent < request_length;) {
    ssize_t now = send(self->fd, request + sent, request_length - sent, MSG_NOSIGNAL);
    if (now <= 0) {
      ended(self, 0);
      return;
    }
    sent += (size_t)now;
  }
}

static void ended(client *self, int good) {
  self->busy = 0;
  drive.active--;
  if (good) {
    drive.finished++;
    latencies_add(&drive.whole, now_ns() - self->began_ns);
  } else {
    if (drive.failed++ == 0) {
      drive.first_status = self->answer.status;
      drive.first_bytes = self->answer.body_bytes;
    }
    if (self->fd >= 0) close(self->fd);
    self->fd = -1;
  }
}

static void readable(client *self) {
  static char bytes[262144];
  ssize_t length = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (!self->busy) {
    close(self->fd);
    self->fd = -1;
    return;
  }
  ssize_t taken = length > 0 ? http1_take(&self->answer, bytes, (size_t)length) : -1;
  if (taken >= 0 && self->answer.state != HTTP1_DONE) return;
  ended(self, taken == length && self->answer.status == drive.status && self->answer.body_bytes == drive.bytes);
  begin(self);
}

static void run(int connections) {
  int target = 0;
  while (target < TARGETS_MAX - 1 && targets[target].port != 0 && targets[target].port != drive.port) target++;
  targets[target].port = drive.port;
  uint64_t began = now_ns();
  for (int index = 0; index < connections; index++) {
    client **slot = &targets[target].clients[index];
    if (!*slot) {
      if (!(*slot = calloc(1, sizeof **slot))) die("calloc");
      (*slot)->fd = -1;
    }
    begin(*slot);
  }
  struct epoll_event events[256];
  while (drive.active > 0) {
    int count = epoll_wait(poller, events, 256, STALLED_MS);
    if (count == 0)
      for (int index = 0; index < connections; index++)
        if (targets[target].clients[index]->busy) ended(targets[target].clients[index], 0);
    for (int index = 0; index < count; index++) {
      client *self = events[index].data.ptr;
      if (self->fd >= 0) readable(self);
    }
  }
  printf("{\"exchanges\":%ld,\"failed\":%ld,\"firstStatus\":%d,\"firstBytes\":%zu,\"elapsedNs\":%llu,"
         "\"wholeP50Ns\":%llu,\"wholeP99Ns\":%llu}\n",
         drive.finished, drive.failed, drive.first_status, drive.first_bytes,
         (unsigned long long)(now_ns() - began), (unsigned long long)latencies_quantile(&drive.whole, 0.5),
         (unsigned long long)latencies_quantile(&drive.whole, 0.99));
}

int main(void) {
  if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
  char line[1024], verb[8], path[768];
  int connections;
  long amount;
  while (fgets(line, sizeof line, stdin)) {
    memset(&drive, 0, sizeof drive);
    if (sscanf(line, "%7s %d %767s %d %ld %d %zu", verb, &drive.port, path, &connections, &amount, &drive.status,
               &drive.bytes) != 7 ||
        connections < 1 || connections > CONNECTIONS_MAX) {
      errno = EINVAL;
      die("unknown command");
    }
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    request_length = fread(request, 1, sizeof request, file);
    fclose(file);
    session = memmem(request, request_length, SESSION_ID, sizeof SESSION_ID - 1);
    drive.until_ns = strcmp(verb, "run") == 0 ? now_ns() + (uint64_t)amount * 1000000ull : UINT64_MAX;
    drive.left = strcmp(verb, "run") == 0 ? INT64_MAX : amount;
    run(connections);
    fflush(stdout);
  }
  return 0;
}
