/* Reads HTTP/1.1 messages as far as a canned client and a canned server need: where one ends, and its first line. */
#ifndef SWITCHYARD_HTTP1_H
#define SWITCHYARD_HTTP1_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#define HTTP1_HEAD_BYTES_MAX 16384

enum http1_state { HTTP1_HEAD, HTTP1_FIXED, HTTP1_CHUNK_SIZE, HTTP1_CHUNK, HTTP1_CHUNK_END, HTTP1_TRAILERS, HTTP1_DONE };

typedef struct {
  enum http1_state state;
  /* The head, later a line of the chunked coding. */
  char text[HTTP1_HEAD_BYTES_MAX + 1];
  size_t text_length;
  size_t left, body_bytes;
  /* Of an answer; 0 for a request. */
  int status;
} http1_reader;

static inline void http1_begin(http1_reader *self) {
  self->state = HTTP1_HEAD;
  self->text_length = self->left = self->body_bytes = 0;
  self->status = 0;
}

/* The value of a header in a head that ends with a zero; NULL when absent. */
static inline const char *http1_header(const char *head, const char *name) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
      line += 3 + length;
      return line + strspn(line, " ");
    }
  return NULL;
}

static inline void http1_head_read(http1_reader *self) {
  self->text[self->text_length] = 0;
  if (strncmp(self->text, "HTTP/1.1 ", 9) == 0) self->status = atoi(self->text + 9);
  const char *coding = http1_header(self->text, "transfer-encoding");
  const char *length = http1_header(self->text, "content-length");
  if (coding && strncasecmp(coding, "chunked", 7) == 0) {
    self->state = HTTP1_CHUNK_SIZE;
  } else {
    self->left = length ? strtoul(length, NULL, 10) : 0;
    self->state = self->left > 0 ? HTTP1_FIXED : HTTP1_DONE;
  }
}

/* Takes bytes until the message is done; tells how many, or -1 for what is no HTTP. */
static inline ssize_t http1_take(http1_reader *self, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length && self->state != HTTP1_DONE) {
    if (self->state == HTTP1_FIXED || self->state == HTTP1_CHUNK) {
      size_t taken = length - at < self->left ? length - at : self->left;
      at += taken;
      self->body_bytes += taken;
      self->left -= taken;
      if (self->left == 0) self->state = self->state == HTTP1_FIXED ? HTTP1_DONE : HTTP1_CHUNK_END;
      continue;
    }
    if (self->text_length == HTTP1_HEAD_BYTES_MAX) return -1;
    char byte = bytes[at++];
    self->text[self->text_length++] = byte;
    if (byte != '\n') continue;
    if (self->state == HTTP1_HEAD) {
      if (self->text_length >= 4 && memcmp(self->text + self->text_length - 4, "\r\n\r\n", 4) == 0) {
        http1_head_read(self);
        if (self->state != HTTP1_DONE) self->text_length = 0;
      }
      continue;
    }
    self->text[self->text_length] = 0;
    if (self->state == HTTP1_CHUNK_SIZE) {
      self->left = strtoul(self->text, NULL, 16);
      self->state = self->left > 0 ? HTTP1_CHUNK : HTTP1_TRAILERS;
    } else if (self->state == HTTP1_CHUNK_END) {
      self->state = HTTP1_CHUNK_SIZE;
    } else if (strcmp(self->text, "\r\n") == 0) {
      self->state = HTTP1_DONE;
    }
    self->text_length = 0;
  }
  return (ssize_t)at;
}

#endif
