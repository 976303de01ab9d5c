/*
 * HPACK as libnghttp2 has it, line by line: what the fuzz of our decoder is held against. Strings are hexadecimal, `-`
 * is the empty one.
 *
 *   i         a new decoder, whose table may have 4096 bytes
 *   s SIZE    our SETTINGS_HEADER_TABLE_SIZE is acknowledged
 *   b BLOCK   decodes: `ok NAME VALUE …`, or `refused`, after which a decoder refuses everything
 *   e         a new encoder
 *   t SIZE    its table may have so many bytes
 *   f FLAG NAME VALUE …   encodes; FLAG 1: never indexed. Prints `block BLOCK`
 */
#define _GNU_SOURCE
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 4096

static nghttp2_hd_inflater *inflater;
static nghttp2_hd_deflater *deflater;
static int dead;

static int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* In place; the number of bytes. */
static size_t from_hex(char *text) {
  size_t length = 0;
  if (text[0] == '-') return 0;
  for (size_t at = 0; text[at] && text[at + 1]; at += 2)
    text[length++] = (char)(digit(text[at]) * 16 + digit(text[at + 1]));
  return length;
}

static void print_hex(const uint8_t *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  if (length == 0) putchar('-');
  for (size_t at = 0; at < length; at++) {
    putchar(digits[bytes[at] >> 4]);
    putchar(digits[bytes[at] & 15]);
  }
}

static void required(int good) {
  if (!good) exit(2);
}

typedef struct {
  uint8_t *name, *value;
  size_t name_length, value_length;
} field;

static void decode(char *text) {
  static field fields[FIELDS_MAX];
  size_t count = 0;
  size_t left = from_hex(text);
  const uint8_t *at = (const uint8_t *)text;
  while (!dead) {
    nghttp2_nv nv;
    int flags = 0;
    ssize_t taken = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, at, left, 1);
    if (taken < 0) {
      dead = 1;
      break;
    }
    at += taken;
    left -= (size_t)taken;
    if (flags & NGHTTP2_HD_INFLATE_EMIT) {
      required(count < FIELDS_MAX);
      field *one = &fields[count++];
      one->name = memcpy(malloc(nv.namelen + 1), nv.name, nv.namelen);
      one->value = memcpy(malloc(nv.valuelen + 1), nv.value, nv.valuelen);
      one->name_length = nv.namelen;
      one->value_length = nv.valuelen;
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) {
      nghttp2_hd_inflate_end_headers(inflater);
      break;
    }
    if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && left == 0) break;
  }
  fputs(dead ? "refused" : "ok", stdout);
  for (size_t index = 0; index < count; index++) {
    if (!dead) {
      putchar(' ');
      print_hex(fields[index].name, fields[index].name_length);
      putchar(' ');
      print_hex(fields[index].value, fields[index].value_length);
    }
    free(fields[index].name);
    free(fields[index].value);
  }
  putchar('\n');
}

static void encode(char *text) {
  static nghttp2_nv list[FIELDS_MAX];
  size_t count = 0;
  char *rest = text;
  char *flag;
  while ((flag = strsep(&rest, " ")) != NULL && flag[0]) {
    char *name = strsep(&rest, " ");
    char *value = strsep(&rest, " ");
    required(name != NULL && value != NULL && count < FIELDS_MAX);
    nghttp2_nv *one = &list[count++];
    one->namelen = from_hex(name);
    one->valuelen = from_hex(value);
    one->name = (uint8_t *)name;
    one->value = (uint8_t *)value;
    one->flags = flag[0] == '1' ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
  }
  size_t room = nghttp2_hd_deflate_bound(deflater, list, count);
  uint8_t *block = malloc(room + 1);
  ssize_t length = nghttp2_hd_deflate_hd(deflater, block, room, list, count);
  required(length >= 0);
  fputs("block ", stdout);
  print_hex(block, (size_t)length);
  putchar('\n');
  free(block);
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getline(&line, &room, stdin)) > 0) {
    if (line[length - 1] == '\n') line[length - 1] = 0;
    char *rest = line[1] ? line + 2 : line + 1;
    switch (line[0]) {
    case 'i':
      if (inflater) nghttp2_hd_inflate_del(inflater);
      required(nghttp2_hd_inflate_new(&inflater) == 0);
      dead = 0;
      break;
    case 's':
      if (!dead) required(nghttp2_hd_inflate_change_table_size(inflater, strtoul(rest, NULL, 10)) == 0);
      break;
    case 'b':
      decode(rest);
      break;
    case 'e':
      if (deflater) nghttp2_hd_deflate_del(deflater);
      required(nghttp2_hd_deflate_new(&deflater, 65536) == 0);
      break;
    case 't':
      required(nghttp2_hd_deflate_change_table_size(deflater, strtoul(rest, NULL, 10)) == 0);
      break;
    case 'f':
      encode(rest);
      break;
    default:
      required(0);
    }
  }
  return 0;
}
