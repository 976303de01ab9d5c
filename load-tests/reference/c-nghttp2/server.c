/*
 * Reference server: gRPC by hand on libnghttp2 and epoll, one thread. `server` listens on a port of the loopback
 * that it prints (`listening PORT`) and ends when its standard input does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lazy-policy.h"

#define MESSAGE_BYTES_MAX (64u * 1024 * 1024)
#define READ_BYTES 65536
#define WRITE_BYTES 65536
#define STREAM_WINDOW_BYTES (1 << 20)
#define CONNECTION_WINDOW_BYTES (16 << 20)
/* Far above what any client here resets: the library's own limit is not what is measured. */
#define RESETS_MAX 1000000000ull

enum method { METHOD_UNKNOWN, METHOD_PROCESS, METHOD_CHECK };
enum grpc_status { GRPC_OK = 0, GRPC_UNIMPLEMENTED = 12, GRPC_INTERNAL = 13 };

typedef struct stream {
  int32_t id;
  enum method method;
  int answered; /* response headers are submitted */
  int ending;   /* trailers follow what is queued */
  enum grpc_status status;
  /* A message that came in pieces. */
  uint8_t *partial;
  size_t partial_length, partial_capacity;
  /* Framed answers not yet taken. */
  uint8_t *queued;
  size_t queued_from, queued_length, queued_capacity;
} stream;

typedef struct connection {
  int fd;
  int wants_write;
  nghttp2_session *session;
  /* Bytes the socket has not taken yet. */
  uint8_t pending[WRITE_BYTES];
  size_t pending_from, pending_length;
} connection;

static lazy_answers answers;
static int poller;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void grow(uint8_t **bytes, size_t *capacity, size_t needed) {
  if (needed <= *capacity) return;
  size_t next = *capacity ? *capacity : 256;
  while (next < needed) next *= 2;
  if (!(*bytes = realloc(*bytes, next))) die("realloc");
  *capacity = next;
}

#define HEADER(name, value) \
  {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE}

static void submit_trailers(nghttp2_session *session, int32_t id, enum grpc_status status) {
  char text[4];
  int length = snprintf(text, sizeof text, "%d", status);
  nghttp2_nv trailer = {(uint8_t *)"grpc-status", (uint8_t *)text, 11, (size_t)length,
                        NGHTTP2_NV_FLAG_NONE};
  nghttp2_submit_trailer(session, id, &trailer, 1);
}

static ssize_t read_answers(nghttp2_session *session, int32_t id, uint8_t *out, size_t room,
                            uint32_t *flags, nghttp2_data_source *source, void *unused) {
  (void)unused;
  stream *self = source->ptr;
  size_t left = self->queued_length - self->queued_from;
  size_t taken = left < room ? left : room;
  memcpy(out, self->queued + self->queued_from, taken);
  self->queued_from += taken;
  if (self->queued_from < self->queued_length) return (ssize_t)taken;
  self->queued_from = self->queued_length = 0;
  if (self->ending) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    submit_trailers(session, id, self->status);
    return (ssize_t)taken;
  }
  return taken > 0 ? (ssize_t)taken : NGHTTP2_ERR_DEFERRED;
}

static void wake(nghttp2_session *session, stream *self) {
  static const nghttp2_nv HEAD[] = {HEADER(":status", "200"),
                                    HEADER("content-type", "application/grpc")};
  if (self->answered) {
    nghttp2_session_resume_data(session, self->id);
    return;
  }
  self->answered = 1;
  nghttp2_data_provider provider = {{.ptr = self}, read_answers};
  nghttp2_submit_response(session, self->id, HEAD, 2, &provider);
}

static void finish(nghttp2_session *session, stream *self, enum grpc_status status) {
  if (self->ending) return;
  self->ending = 1;
  self->status = status;
  wake(session, self);
}

static void answer(nghttp2_session *session, stream *self, const uint8_t *message, size_t length) {
  if (self->ending) return;
  const lazy_answer *said = self->method == METHOD_CHECK ? lazy_check(&answers, message, length)
                                                         : lazy_process(&answers, message, length);
  if (said == NULL) {
    finish(session, self, GRPC_INTERNAL);
    return;
  }
  grow(&self->queued, &self->queued_capacity, self->queued_length + said->length);
  memcpy(self->queued + self->queued_length, said->bytes, said->length);
  self->queued_length += said->length;
  if (self->method == METHOD_CHECK) finish(session, self, GRPC_OK);
  else wake(session, self);
}

/* Answers every whole message of `bytes`; tells how many bytes these were, or -1 for one that is too long. */
static ssize_t take_messages(nghttp2_session *session, stream *self, const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (length - at >= LAZY_GRPC_PREFIX_BYTES) {
    const uint8_t *prefix = bytes + at;
    size_t size = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    if (prefix[0] != 0 || size > MESSAGE_BYTES_MAX) return -1;
    if (length - at - LAZY_GRPC_PREFIX_BYTES < size) break;
    answer(session, self, prefix + LAZY_GRPC_PREFIX_BYTES, size);
    at += LAZY_GRPC_PREFIX_BYTES + size;
  }
  return (ssize_t)at;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *unused) {
  (void)unused;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  stream *self = calloc(1, sizeof *self);
  if (!self) die("calloc");
  self->id = frame->hd.stream_id;
  nghttp2_session_set_stream_user_data(session, self->id, self);
  return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags, void *unused) {
  (void)flags, (void)unused;
  static const char PROCESS[] = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
  static const char CHECK[] = "/envoy.service.auth.v3.Authorization/Check";
  if (name_length != 5 || memcmp(name, ":path", 5) != 0) return 0;
  stream *self = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (self == NULL) return 0;
  lazy_span path = {value, value + value_length};
  if (lazy_is(path, PROCESS, sizeof PROCESS - 1)) self->method = METHOD_PROCESS;
  else if (lazy_is(path, CHECK, sizeof CHECK - 1)) self->method = METHOD_CHECK;
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t length,
                   void *unused) {
  (void)flags, (void)unused;
  stream *self = nghttp2_session_get_stream_user_data(session, id);
  if (self == NULL || self->ending) return 0;
  ssize_t taken;
  if (self->partial_length == 0) {
    taken = take_messages(session, self, bytes, length);
    if (taken >= 0 && (size_t)taken < length) {
      size_t left = length - (size_t)taken;
      grow(&self->partial, &self->partial_capacity, left);
      memcpy(self->partial, bytes + taken, left);
      self->partial_length = left;
    }
  } else {
    grow(&self->partial, &self->partial_capacity, self->partial_length + length);
    memcpy(self->partial + self->partial_length, bytes, length);
    self->partial_length += length;
    taken = take_messages(session, self, self->partial, self->partial_length);
    if (taken > 0) {
      self->partial_length -= (size_t)taken;
      memmove(self->partial, self->partial + taken, self->partial_length);
    }
  }
  if (taken < 0) finish(session, self, GRPC_INTERNAL);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *unused) {
  (void)unused;
  if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) return 0;
  stream *self = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (self == NULL) return 0;
  if (self->method == METHOD_UNKNOWN) finish(session, self, GRPC_UNIMPLEMENTED);
  else if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
    finish(session, self, self->partial_length > 0 ? GRPC_INTERNAL : GRPC_OK);
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *unused) {
  (void)code, (void)unused;
  stream *self = nghttp2_session_get_stream_user_data(session, id);
  if (self == NULL) return 0;
  free(self->partial);
  free(self->queued);
  free(self);
  return 0;
}

static void watch_writes(connection *self, int wanted) {
  if (self->wants_write == wanted) return;
  self->wants_write = wanted;
  struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = self};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, self->fd, &event) < 0) die("epoll_ctl");
}

/* 0: the connection is over. */
static int flush(connection *self) {
  for (;;) {
    while (self->pending_from < self->pending_length) {
      ssize_t sent = send(self->fd, self->pending + self->pending_from,
                          self->pending_length - self->pending_from, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno != EAGAIN) return 0;
        watch_writes(self, 1);
        return 1;
      }
      self->pending_from += (size_t)sent;
    }
    self->pending_from = self->pending_length = 0;
    const uint8_t *bytes;
    ssize_t length;
    /* Frames are gathered, so that one write carries all that one read caused. */
    while (self->pending_length + 16384 + 9 <= WRITE_BYTES) {
      length = nghttp2_session_mem_send(self->session, &bytes);
      if (length < 0) return 0;
      if (length == 0) break;
      memcpy(self->pending + self->pending_length, bytes, (size_t)length);
      self->pending_length += (size_t)length;
    }
    if (self->pending_length == 0) break;
  }
  watch_writes(self, 0);
  return nghttp2_session_want_read(self->session) || nghttp2_session_want_write(self->session);
}

static int readable(connection *self) {
  static uint8_t bytes[READ_BYTES];
  ssize_t length = recv(self->fd, bytes, sizeof bytes, 0);
  if (length < 0) return errno == EAGAIN;
  if (length == 0) return 0;
  return nghttp2_session_mem_recv(self->session, bytes, (size_t)length) >= 0;
}

static void accept_one(int listener, const nghttp2_session_callbacks *callbacks, const nghttp2_option *options) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connection *self = calloc(1, sizeof *self);
  if (!self) die("calloc");
  self->fd = fd;
  if (nghttp2_session_server_new2(&self->session, callbacks, self, options) != 0) die("session");
  nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000},
                                       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES}};
  nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(self->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

static void drop(connection *self) {
  close(self->fd);
  nghttp2_session_del(self->session);
  free(self);
}

int main(void) {
  lazy_make_answers(&answers);
  nghttp2_session_callbacks *callbacks;
  nghttp2_option *options;
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&options) != 0) die("nghttp2");
  nghttp2_option_set_stream_reset_rate_limit(options, RESETS_MAX, RESETS_MAX);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_length = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, address_length) < 0 ||
      listen(listener, 1024) < 0 || getsockname(listener, (struct sockaddr *)&address, &address_length) < 0)
    die("listen");
  if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
  static int input_mark, listener_mark;
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = &input_mark};
  struct epoll_event listening = {.events = EPOLLIN, .data.ptr = &listener_mark};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input) < 0) die("standard input is no pipe");
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening) < 0) die("epoll_ctl");
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);

  struct epoll_event events[256];
  for (;;) {
    int count = epoll_wait(poller, events, 256, -1);
    for (int index = 0; index < count; index++) {
      void *mark = events[index].data.ptr;
      char ignored[64];
      if (mark == &input_mark) {
        if (read(0, ignored, sizeof ignored) <= 0) return 0;
      } else if (mark == &listener_mark) {
        accept_one(listener, callbacks, options);
      } else {
        connection *self = mark;
        int alive = !(events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || readable(self);
        if (!alive || !flush(self)) drop(self);
      }
    }
  }
}
