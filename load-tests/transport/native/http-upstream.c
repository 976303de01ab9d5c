/*
 * An HTTP/1.1 server of canned answers: `http-upstream PATH=FILE ...` sends the bytes of FILE to a request for
 * PATH once its body has come. Prints `listening PORT`, ends when its standard input does.
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

#define ANSWERS_MAX 16
#define ANSWER_BYTES_MAX (1 << 20)

static struct {
  char *path;
  char *bytes;
  size_t length;
} answers[ANSWERS_MAX];
static int answer_count;

typedef struct {
  int fd, answer;
  http1_reader request;
} peer;

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* The answer for the path of the first line; 0 when there is none for it. */
static int answer_for(const http1_reader *request) {
  const char *path = strchr(request->text, ' ');
  for (int index = 0; path && index < answer_count; index++) {
    size_t length = strlen(answers[index].path);
    if (strncmp(path + 1, answers[index].path, length) == 0 && path[1 + length] == ' ') return index;
  }
  return 0;
}

static int respond(peer *self) {
  for (size_t sent = 0; sent < answers[self->answer].length;) {
    ssize_t now = send(self->fd, answers[self->answer].bytes + sent, answers[self->answer].length - sent, MSG_NOSIGNAL);
    if (now <= 0) return 0;
    sent += (size_t)now;
  }
  http1_begin(&self->request);
  self->answer = -1;
  return 1;
}

static int readable(peer *self) {
  static char bytes[262144];
  ssize_t length = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT), at = 0;
  if (length < 0) return errno == EAGAIN;
  if (length == 0) return 0;
  while (at < length) {
    /* The head is forgotten with the first byte of the body. */
    while (at < length && self->request.state == HTTP1_HEAD) {
      if (http1_take(&self->request, bytes + at++, 1) < 0) return 0;
      size_t known = self->request.text_length;
      if (self->answer < 0 && known > 1 && self->request.text[known - 1] == '\n') self->answer = answer_for(&self->request);
    }
    if (self->request.state != HTTP1_DONE) {
      ssize_t taken = http1_take(&self->request, bytes + at, (size_t)(length - at));
      if (taken < 0) return 0;
      at += taken;
    }
    if (self->request.state == HTTP1_DONE && !respond(self)) return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  for (int index = 1; index < argc && answer_count < ANSWERS_MAX; index++) {
    char *file = strchr(argv[index], '=');
    if (!file) die("PATH=FILE");
    *file++ = 0;
    FILE *from = fopen(file, "rb");
    answers[answer_count].path = argv[index];
    answers[answer_count].bytes = malloc(ANSWER_BYTES_MAX);
    if (!from || !answers[answer_count].bytes) die(file);
    answers[answer_count].length = fread(answers[answer_count].bytes, 1, ANSWER_BYTES_MAX, from);
    fclose(from);
    answer_count++;
  }
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), poller = epoll_create1(EPOLL_CLOEXEC);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_length = sizeof address;
  if (answer_count == 0 || poller < 0 || listener < 0 || bind(listener, (struct sockaddr *)&address, address_length) < 0 ||
      listen(listener, 1024) < 0 || getsockname(listener, (struct sockaddr *)&address, &address_length) < 0)
    die("listen");
  static peer input = {.fd = 0}, accepting;
  accepting.fd = listener;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &input};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event) < 0) die("standard input is no pipe");
  event.data.ptr = &accepting;
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1), on = 1;
    for (int index = 0; index < count; index++) {
      peer *self = events[index].data.ptr;
      char ignored[64];
      if (self == &input) {
        if (read(0, ignored, sizeof ignored) <= 0) return 0;
      } else if (self == &accepting) {
        peer *next = calloc(1, sizeof *next);
        if (!next) die("calloc");
        if ((next->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) die("accept4");
        setsockopt(next->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        next->answer = -1;
        http1_begin(&next->request);
        struct epoll_event reading = {.events = EPOLLIN, .data.ptr = next};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, next->fd, &reading) < 0) die("epoll_ctl");
      } else if (!readable(self)) {
        close(self->fd);
        free(self);
      }
    }
  }
}
