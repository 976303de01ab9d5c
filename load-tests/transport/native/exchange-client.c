/*
 * A client that speaks to ext_proc and ext_authz servers as Envoy does: its request headers, its windows, a
 * message only after the reply to the one before. One thread, closed loop: a fixed number of exchanges is under
 * way at any time. Commands come on standard input, one a line; each is answered by one line of JSON.
 *
 *   shape NAME FILE                                   reads the messages of one kind of exchange
 *   run PORT SHAPE CONNECTIONS STREAMS MS ENDING      drives for MS, lets what is under way finish
 *   count PORT SHAPE CONNECTIONS STREAMS N ENDING     the same, until N exchanges have begun
 *   open PORT SHAPE CONNECTIONS STREAMS MESSAGES      opens streams, stops after MESSAGES, keeps them
 *   drop                                              closes every connection
 *
 * ENDING: `graceful` half-closes and waits for the trailers; `reset` half-closes and resets at once, as Envoy
 * does unless told otherwise.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "latency.h"

#define PREFIX_BYTES 5
#define MESSAGES_MAX 80
#define SHAPES_MAX 16
#define CONNECTIONS_MAX 1024
#define TARGETS_MAX 16
#define SESSION_ID_BYTES 36
#define WRITE_BYTES 65536
/* What Envoy 1.40 announces. */
#define STREAM_WINDOW_BYTES (16 << 20)
#define CONNECTION_WINDOW_BYTES (24 << 20)
/* Nothing came for so long: what is still under way has failed. */
#define STALLED_MS 15000

typedef struct {
  char name[24];
  int is_check;
  /* Where the session id stands in the first message. */
  size_t session_at;
  int count;
  uint8_t *messages[MESSAGES_MAX];
  size_t lengths[MESSAGES_MAX];
} shape;

typedef struct connection connection;

typedef struct exchange {
  connection *on;
  int32_t id;
  int lane;
  const shape *kind;
  /* Index of the message being sent, and how much of it is. */
  int sending, replies;
  size_t sent_bytes;
  int deferred, half_closing, kept, status_ok;
  uint8_t prefix[PREFIX_BYTES];
  unsigned prefix_length;
  size_t reply_left;
  uint64_t began_ns;
  uint8_t first[];
} exchange;

struct connection {
  int fd, wants_write, retired, dead;
  connection **slot;
  long streams;
  nghttp2_session *session;
  uint8_t pending[WRITE_BYTES];
  size_t pending_from, pending_length;
  connection *next_dead;
};

static struct {
  const shape *kind;
  connection **slots;
  int port, connections, resets;
  /* No exchange begins after either. */
  uint64_t until_ns;
  long left;
  int keep_after;
  long active, kept, finished, failed, goaways;
  uint32_t first_error;
  latencies first_reply, whole;
} drive;

static shape shapes[SHAPES_MAX];
static int shape_count;
/* Connections are kept between slices, so that each server has its own. */
static struct {
  int port;
  connection *slots[CONNECTIONS_MAX];
} targets[TARGETS_MAX];
static int fresh_connections;
static connection *dead_connections;
static nghttp2_session_callbacks *callbacks;
static int poller;
static uint64_t session_number;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static connection *connection_of(int lane);
static void begin(int lane);

/* ---- one exchange */

static ssize_t read_message(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                            nghttp2_data_source *source, void *unused) {
  (void)session, (void)id, (void)unused;
  exchange *self = source->ptr;
  if (self->half_closing) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
  }
  const uint8_t *bytes = self->sending == 0 ? self->first : self->kind->messages[self->sending];
  size_t left = self->kind->lengths[self->sending] - self->sent_bytes;
  if (left == 0) {
    self->deferred = 1;
    return NGHTTP2_ERR_DEFERRED;
  }
  size_t taken = left < room ? left : room;
  memcpy(out, bytes + self->sent_bytes, taken);
  self->sent_bytes += taken;
  if (taken == left && self->kind->is_check) {
    self->half_closing = 1;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  return (ssize_t)taken;
}

static void resume(exchange *self) {
  if (!self->deferred) return;
  self->deferred = 0;
  nghttp2_session_resume_data(self->on->session, self->id);
}

static void replied(exchange *self) {
  if (self->replies++ == 0) latencies_add(&drive.first_reply, now_ns() - self->began_ns);
  if (self->kind->is_check || self->half_closing || self->kept) return;
  if (drive.keep_after > 0 && self->replies == drive.keep_after) {
    self->kept = 1;
    drive.active--;
    drive.kept++;
    return;
  }
  if (self->replies == self->kind->count) self->half_closing = 1;
  else self->sending++, self->sent_bytes = 0;
  resume(self);
}

static void over(exchange *self, int good, uint32_t error) {
  connection *on = self->on;
  int lane = self->lane;
  on->streams--;
  if (self->kept) drive.kept--;
  else drive.active--;
  if (good) {
    drive.finished++;
    latencies_add(&drive.whole, now_ns() - self->began_ns);
  } else if (drive.failed++ == 0) {
    drive.first_error = error;
  }
  free(self);
  begin(lane);
}

static void begin(int lane) {
  if (drive.left <= 0 || now_ns() >= drive.until_ns) return;
  connection *on = connection_of(lane);
  if (on == NULL) return;
  drive.left--;
  const shape *kind = drive.kind;
  exchange *self = malloc(sizeof *self + kind->lengths[0]);
  if (!self) die("malloc");
  memset(self, 0, sizeof *self);
  memcpy(self->first, kind->messages[0], kind->lengths[0]);
  char session[SESSION_ID_BYTES + 1];
  uint64_t number = ++session_number * 0x9e3779b97f4a7c15ull;
  snprintf(session, sizeof session, "session-%016llx-%011llx", (unsigned long long)number,
           (unsigned long long)(session_number & 0xfffffffffffull));
  memcpy(self->first + kind->session_at, session, SESSION_ID_BYTES);
  self->on = on;
  self->lane = lane;
  self->kind = kind;
  self->began_ns = now_ns();
#define HEADER(name, value) \
  {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE}
  static const nghttp2_nv HEADS[2][9] = {
      {HEADER(":method", "POST"), HEADER(":path", "/envoy.service.ext_proc.v3.ExternalProcessor/Process"),
       HEADER(":authority", "switchyard"), HEADER(":scheme", "http"), HEADER("te", "trailers"),
       HEADER("content-type", "application/grpc"), HEADER("x-envoy-internal", "true"),
       HEADER("x-forwarded-for", "127.0.0.1"), HEADER("x-switchyard-policy", "chat")},
      {HEADER(":method", "POST"), HEADER(":path", "/envoy.service.auth.v3.Authorization/Check"),
       HEADER(":authority", "switchyard"), HEADER(":scheme", "http"), HEADER("te", "trailers"),
       HEADER("grpc-timeout", "2000m"), HEADER("content-type", "application/grpc"),
       HEADER("x-envoy-internal", "true"), HEADER("x-forwarded-for", "127.0.0.1")}};
  nghttp2_data_provider provider = {{.ptr = self}, read_message};
  self->id = nghttp2_submit_request(on->session, NULL, HEADS[kind->is_check], 9, &provider, self);
  if (self->id < 0) {
    free(self);
    drive.failed++;
    return;
  }
  drive.active++;
  on->streams++;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags, void *unused) {
  (void)flags, (void)unused;
  if (name_length != 11 || memcmp(name, "grpc-status", 11) != 0) return 0;
  exchange *self = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (self) self->status_ok = value_length == 1 && value[0] == '0';
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t length,
                   void *unused) {
  (void)flags, (void)unused;
  exchange *self = nghttp2_session_get_stream_user_data(session, id);
  if (!self) return 0;
  while (length > 0) {
    if (self->prefix_length < PREFIX_BYTES) {
      self->prefix[self->prefix_length++] = *bytes++;
      length--;
      if (self->prefix_length < PREFIX_BYTES) continue;
      const uint8_t *prefix = self->prefix;
      self->reply_left = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    }
    size_t taken = length < self->reply_left ? length : self->reply_left;
    bytes += taken;
    length -= taken;
    self->reply_left -= taken;
    if (self->reply_left == 0) {
      self->prefix_length = 0;
      replied(self);
    }
  }
  return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *unused) {
  (void)unused;
  if (drive.resets && frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data) {
  (void)session;
  if (frame->hd.type == NGHTTP2_GOAWAY) {
    ((connection *)data)->retired = 1;
    drive.goaways++;
  }
  return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *unused) {
  (void)unused;
  exchange *self = nghttp2_session_get_stream_user_data(session, id);
  if (!self) return 0;
  nghttp2_session_set_stream_user_data(session, id, NULL);
  int answered = self->replies == self->kind->count;
  over(self, answered && (drive.resets || (self->status_ok && code == NGHTTP2_NO_ERROR)), code);
  return 0;
}

/* ---- connections */

static connection *connect_to(int port, connection **slot) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    if (fd >= 0) close(fd);
    return NULL;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connection *self = calloc(1, sizeof *self);
  if (!self) die("calloc");
  self->fd = fd;
  self->slot = slot;
  fresh_connections = 1;
  if (nghttp2_session_client_new(&self->session, callbacks, self) != 0) die("session");
  nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES}};
  nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(self->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  return self;
}

static void mark_dead(connection *self) {
  if (self->dead) return;
  self->dead = 1;
  self->next_dead = dead_connections;
  dead_connections = self;
}

static connection *connection_of(int lane) {
  connection **slot = &drive.slots[lane % drive.connections];
  connection *found = *slot;
  if (found && !found->retired && !found->dead) return found;
  /* One that was told to go ends with its last stream. */
  if (found && found->streams == 0) mark_dead(found);
  return *slot = connect_to(drive.port, slot);
}

/* Never from within a callback of the session. */
static void bury(void) {
  while (dead_connections) {
    connection *self = dead_connections;
    dead_connections = self->next_dead;
    if (*self->slot == self) *self->slot = NULL;
    close(self->fd);
    nghttp2_session_del(self->session);
    free(self);
  }
}

/* The other side is gone: what was under way on it has failed. */
static void lost(connection *self) {
  if (self->dead) return;
  mark_dead(self);
  for (int32_t id = 1; self->streams > 0 && id < (int32_t)nghttp2_session_get_next_stream_id(self->session); id += 2) {
    exchange *open = nghttp2_session_get_stream_user_data(self->session, id);
    if (!open) continue;
    nghttp2_session_set_stream_user_data(self->session, id, NULL);
    over(open, 0, UINT32_MAX);
  }
}

static void watch_writes(connection *self, int wanted) {
  if (self->wants_write == wanted) return;
  self->wants_write = wanted;
  struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = self};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, self->fd, &event) < 0) die("epoll_ctl");
}

static int flush(connection *self) {
  for (;;) {
    while (self->pending_from < self->pending_length) {
      ssize_t sent = send(self->fd, self->pending + self->pending_from,
                          self->pending_length - self->pending_from, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) {
        if (errno != EAGAIN) return 0;
        watch_writes(self, 1);
        return 1;
      }
      self->pending_from += (size_t)sent;
    }
    self->pending_from = self->pending_length = 0;
    while (self->pending_length + 16384 + 9 <= WRITE_BYTES) {
      const uint8_t *bytes;
      ssize_t length = nghttp2_session_mem_send(self->session, &bytes);
      if (length < 0) return 0;
      if (length == 0) break;
      memcpy(self->pending + self->pending_length, bytes, (size_t)length);
      self->pending_length += (size_t)length;
    }
    if (self->pending_length == 0) break;
  }
  watch_writes(self, 0);
  return 1;
}

static int readable(connection *self) {
  static uint8_t bytes[262144];
  ssize_t length = recv(self->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN;
  return length > 0 && nghttp2_session_mem_recv(self->session, bytes, (size_t)length) >= 0;
}

static void flush_all(void) {
  fresh_connections = 0;
  for (int slot = 0; slot < drive.connections; slot++) {
    connection *self = drive.slots[slot];
    if (self && !self->dead && !flush(self)) lost(self);
  }
  bury();
}

static void drop_all(void) {
  drive.left = 0;
  for (int target = 0; target < TARGETS_MAX; target++)
    for (int slot = 0; slot < CONNECTIONS_MAX; slot++)
      if (targets[target].slots[slot]) lost(targets[target].slots[slot]);
  bury();
}

/* ---- driving */

static void begin_drive(const char *name, int port, int connections, const char *ending) {
  const shape *kind = NULL;
  for (int index = 0; index < shape_count; index++)
    if (strcmp(shapes[index].name, name) == 0) kind = &shapes[index];
  if (!kind || connections < 1 || connections > CONNECTIONS_MAX) {
    errno = EINVAL;
    die("no such shape, or too many connections");
  }
  int target = 0;
  while (target < TARGETS_MAX - 1 && targets[target].port != 0 && targets[target].port != port) target++;
  targets[target].port = port;
  drive.slots = targets[target].slots;
  drive.kind = kind;
  drive.port = port;
  drive.connections = connections;
  drive.resets = strcmp(ending, "reset") == 0 && !kind->is_check;
  drive.until_ns = UINT64_MAX;
  drive.left = INT64_MAX;
  drive.keep_after = 0;
  drive.active = drive.finished = drive.failed = drive.goaways = 0;
  drive.first_error = 0;
  latencies_clear(&drive.first_reply);
  latencies_clear(&drive.whole);
}

static void end_drive(int streams) {
  uint64_t began = now_ns(), cpu = own_cpu_ns();
  for (int lane = 0; lane < streams; lane++) begin(lane);
  flush_all();
  struct epoll_event events[512];
  int stalled = 0;
  while (drive.active > 0) {
    int count = epoll_wait(poller, events, 512, STALLED_MS);
    if (count == 0) {
      stalled = 1;
      drop_all();
      break;
    }
    for (int index = 0; index < count; index++) {
      connection *self = events[index].data.ptr;
      if (self == NULL || self->dead) continue;
      int alive = !(events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || readable(self);
      if (!alive || !flush(self)) lost(self);
      else if (self->retired && self->streams == 0) mark_dead(self);
    }
    bury();
    if (fresh_connections) flush_all();
  }
  printf("{\"exchanges\":%ld,\"failed\":%ld,\"kept\":%ld,\"goaways\":%ld,\"stalled\":%d,\"firstError\":%u,"
         "\"elapsedNs\":%llu,\"clientCpuNs\":%llu,\"firstReplyP50Ns\":%llu,\"firstReplyP99Ns\":%llu,"
         "\"wholeP50Ns\":%llu,\"wholeP99Ns\":%llu}\n",
         drive.finished, drive.failed, drive.kept, drive.goaways, stalled, drive.first_error,
         (unsigned long long)(now_ns() - began), (unsigned long long)(own_cpu_ns() - cpu),
         (unsigned long long)latencies_quantile(&drive.first_reply, 0.5),
         (unsigned long long)latencies_quantile(&drive.first_reply, 0.99),
         (unsigned long long)latencies_quantile(&drive.whole, 0.5),
         (unsigned long long)latencies_quantile(&drive.whole, 0.99));
}

static uint32_t read_number(FILE *file) {
  uint8_t bytes[4];
  if (fread(bytes, 1, 4, file) != 4) die("the file of a shape is cut off");
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Numbers are four bytes, most significant first: is_check, session_at, count, then each message with its length. */
static void read_shape(const char *name, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || shape_count == SHAPES_MAX) die(path);
  shape *self = &shapes[shape_count++];
  snprintf(self->name, sizeof self->name, "%.23s", name);
  self->is_check = (int)read_number(file);
  self->session_at = PREFIX_BYTES + read_number(file);
  self->count = (int)read_number(file);
  if (self->count < 1 || self->count > MESSAGES_MAX) die("too many messages");
  for (int index = 0; index < self->count; index++) {
    uint32_t length = read_number(file);
    uint8_t *bytes = malloc(PREFIX_BYTES + length);
    if (!bytes || fread(bytes + PREFIX_BYTES, 1, length, file) != length) die("the file of a shape is cut off");
    bytes[0] = 0;
    for (int byte = 0; byte < 4; byte++) bytes[1 + byte] = (uint8_t)(length >> (24 - 8 * byte));
    self->messages[index] = bytes;
    self->lengths[index] = PREFIX_BYTES + length;
  }
  fclose(file);
  printf("{}\n");
}

int main(void) {
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || (poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("start");
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  char line[1024], name[64], text[768];
  int port, connections, streams;
  long amount;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "shape %63s %767[^\n]", name, text) == 2) {
      read_shape(name, text);
    } else if (sscanf(line, "run %d %63s %d %d %ld %63s", &port, name, &connections, &streams, &amount, text) == 6) {
      begin_drive(name, port, connections, text);
      drive.until_ns = now_ns() + (uint64_t)amount * 1000000ull;
      end_drive(streams);
    } else if (sscanf(line, "count %d %63s %d %d %ld %63s", &port, name, &connections, &streams, &amount, text) ==
               6) {
      begin_drive(name, port, connections, text);
      drive.left = amount;
      end_drive(streams);
    } else if (sscanf(line, "open %d %63s %d %d %ld", &port, name, &connections, &streams, &amount) == 5) {
      begin_drive(name, port, connections, "graceful");
      drive.left = streams;
      drive.keep_after = (int)amount;
      end_drive(streams);
    } else if (strcmp(line, "drop\n") == 0) {
      drop_all();
      drive.kept = 0;
      printf("{}\n");
    } else {
      errno = EINVAL;
      die("unknown command");
    }
    fflush(stdout);
  }
  return 0;
}
