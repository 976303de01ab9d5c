/*
 * What every reference server decides: the least that Switchyard's core does for an exchange. Request headers:
 * find `x-session-id`, hash it, pick one of eight endpoints, answer with two header mutations. Every other phase
 * goes on unchanged. A Check is allowed, with the same two values as dynamic metadata.
 *
 * Messages are read in place: nothing is decoded that is not looked at, unknown fields are skipped by wire type,
 * every length is checked. C that is also C++.
 */
#ifndef SWITCHYARD_LAZY_POLICY_H
#define SWITCHYARD_LAZY_POLICY_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LAZY_ENDPOINTS 8
/* The longest answer with its gRPC prefix; tables are filled at start. */
#define LAZY_ANSWER_BYTES_MAX 192
#define LAZY_GRPC_PREFIX_BYTES 5

typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} lazy_span;

typedef struct {
  uint8_t bytes[LAZY_ANSWER_BYTES_MAX];
  size_t length;
} lazy_answer;

typedef struct {
  lazy_answer request_headers[LAZY_ENDPOINTS];
  /* By the field number of the request's phase; those that change nothing. */
  lazy_answer unchanged[8];
  lazy_answer check[LAZY_ENDPOINTS];
} lazy_answers;

/* ---- reading */

/* 0: the varint is cut off or too long. */
static inline int lazy_varint(lazy_span *in, uint64_t *value) {
  uint64_t got = 0;
  for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
    uint8_t byte = *in->at++;
    got |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = got;
      return 1;
    }
  }
  return 0;
}

/* One field: its number, and for wire type 2 its bytes. 0 at the end, -1 when the message is broken. */
static inline int lazy_field(lazy_span *in, uint32_t *number, lazy_span *bytes) {
  uint64_t tag, length;
  if (in->at == in->end) return 0;
  if (!lazy_varint(in, &tag) || tag >> 3 == 0) return -1;
  *number = (uint32_t)(tag >> 3);
  bytes->at = bytes->end = NULL;
  switch (tag & 7) {
    case 0:
      return lazy_varint(in, &length) ? 1 : -1;
    case 1:
      if (in->end - in->at < 8) return -1;
      in->at += 8;
      return 1;
    case 2:
      if (!lazy_varint(in, &length) || length > (uint64_t)(in->end - in->at)) return -1;
      bytes->at = in->at;
      bytes->end = in->at += length;
      return 1;
    case 5:
      if (in->end - in->at < 4) return -1;
      in->at += 4;
      return 1;
    default:
      return -1;
  }
}

/* The last message field `wanted`; empty when absent. */
static inline int lazy_submessage(lazy_span message, uint32_t wanted, lazy_span *found) {
  lazy_span bytes;
  uint32_t number;
  int more;
  found->at = found->end = message.end;
  while ((more = lazy_field(&message, &number, &bytes)) == 1)
    if (number == wanted && bytes.at != NULL) *found = bytes;
  return more == 0;
}

static inline int lazy_is(lazy_span text, const char *literal, size_t length) {
  return (size_t)(text.end - text.at) == length && memcmp(text.at, literal, length) == 0;
}

/* FNV-1a, 32 bit. */
static inline uint32_t lazy_hash(lazy_span text) {
  uint32_t hash = 2166136261u;
  for (const uint8_t *at = text.at; at < text.end; at++) hash = (hash ^ *at) * 16777619u;
  return hash;
}

/* Entries of a HeaderMap (or of a map of strings): {1: name, 2: value, 3: raw value}. */
static inline int lazy_session(lazy_span entries, uint32_t entry_field, lazy_span *session) {
  static const char NAME[] = "x-session-id";
  lazy_span entry, bytes;
  uint32_t number;
  int more;
  while ((more = lazy_field(&entries, &number, &entry)) == 1) {
    if (number != entry_field || entry.at == NULL) continue;
    lazy_span name = {NULL, NULL}, value = {NULL, NULL};
    while ((more = lazy_field(&entry, &number, &bytes)) == 1) {
      if (number == 1) name = bytes;
      else if (number == 2 || number == 3) value = bytes;
    }
    if (more != 0) return 0;
    if (lazy_is(name, NAME, sizeof NAME - 1)) *session = value;
  }
  return more == 0;
}

/* ---- answers */

static inline uint8_t *lazy_put_bytes(uint8_t *out, uint32_t field, const void *bytes, size_t length) {
  *out++ = (uint8_t)(field << 3 | 2);
  *out++ = (uint8_t)length; /* below 128, all of them */
  memcpy(out, bytes, length);
  return out + length;
}

static inline void lazy_finish(lazy_answer *answer, const uint8_t *message, size_t length) {
  uint8_t *out = answer->bytes;
  *out++ = 0;
  for (int shift = 24; shift >= 0; shift -= 8) *out++ = (uint8_t)(length >> shift);
  memcpy(out, message, length);
  answer->length = LAZY_GRPC_PREFIX_BYTES + length;
}

static inline uint8_t *lazy_put_set_header(uint8_t *out, const char *name, const char *value) {
  uint8_t header[64], option[72];
  uint8_t *end = lazy_put_bytes(header, 1, name, strlen(name));
  end = lazy_put_bytes(end, 3, value, strlen(value));
  /* No word about appending: ext_proc then overwrites. */
  uint8_t *option_end = lazy_put_bytes(option, 1, header, (size_t)(end - header));
  return lazy_put_bytes(out, 1, option, (size_t)(option_end - option));
}

static inline uint8_t *lazy_put_struct_entry(uint8_t *out, const char *name, const char *text) {
  uint8_t value[32], entry[64];
  uint8_t *end = lazy_put_bytes(value, 3, text, strlen(text));
  uint8_t *entry_end = lazy_put_bytes(entry, 1, name, strlen(name));
  entry_end = lazy_put_bytes(entry_end, 2, value, (size_t)(end - value));
  return lazy_put_bytes(out, 1, entry, (size_t)(entry_end - entry));
}

static inline void lazy_make_answers(lazy_answers *all) {
  /* Request phases 2 to 7 are answered in fields 1 to 6, headers and bodies with an empty CommonResponse. */
  static const uint32_t ANSWER_FIELD[8] = {0, 0, 1, 2, 3, 4, 5, 6};
  for (uint32_t phase = 2; phase < 8; phase++) {
    uint8_t inner[2], message[8];
    size_t inner_length = phase < 6 ? (size_t)(lazy_put_bytes(inner, 1, "", 0) - inner) : 0;
    uint8_t *end = lazy_put_bytes(message, ANSWER_FIELD[phase], inner, inner_length);
    lazy_finish(&all->unchanged[phase], message, (size_t)(end - message));
  }
  for (int pick = 0; pick < LAZY_ENDPOINTS; pick++) {
    char endpoint[16];
    uint8_t a[160], b[160], *end;
    snprintf(endpoint, sizeof endpoint, "endpoint-%d", pick);
    end = lazy_put_set_header(a, "x-route-endpoint", endpoint);
    end = lazy_put_set_header(end, "x-policy-epoch", "1");
    end = lazy_put_bytes(b, 2, a, (size_t)(end - a)); /* CommonResponse.header_mutation */
    end = lazy_put_bytes(a, 1, b, (size_t)(end - b)); /* HeadersResponse.response */
    end = lazy_put_bytes(b, 1, a, (size_t)(end - a)); /* ProcessingResponse.request_headers */
    lazy_finish(&all->request_headers[pick], b, (size_t)(end - b));
    end = lazy_put_struct_entry(a, "endpoint", endpoint);
    end = lazy_put_struct_entry(end, "epoch", "1");
    size_t metadata = (size_t)(end - a);
    static const uint8_t OK[2] = {1 << 3, 0}; /* Status.code, written out */
    end = lazy_put_bytes(b, 1, OK, sizeof OK);
    end = lazy_put_bytes(end, 3, "", 0); /* ok_response */
    end = lazy_put_bytes(end, 4, a, metadata);
    lazy_finish(&all->check[pick], b, (size_t)(end - b));
  }
}

/* ---- deciding. NULL: the message is broken, and the call ends with an error status. */

static inline const lazy_answer *lazy_process(const lazy_answers *all, const uint8_t *message, size_t length) {
  lazy_span in = {message, message + length}, bytes, phase_bytes = {NULL, NULL};
  uint32_t number, phase = 0;
  int more;
  while ((more = lazy_field(&in, &number, &bytes)) == 1)
    if (number >= 2 && number <= 7 && bytes.at != NULL) {
      phase = number;
      phase_bytes = bytes;
    }
  if (more != 0 || phase == 0) return NULL;
  if (phase != 2) return &all->unchanged[phase];
  lazy_span map, session = {NULL, NULL};
  if (!lazy_submessage(phase_bytes, 1, &map) || !lazy_session(map, 1, &session)) return NULL;
  return &all->request_headers[lazy_hash(session) % LAZY_ENDPOINTS];
}

static inline const lazy_answer *lazy_check(const lazy_answers *all, const uint8_t *message, size_t length) {
  lazy_span in = {message, message + length}, attributes, request, http, map, session = {NULL, NULL};
  if (!lazy_submessage(in, 1, &attributes) || !lazy_submessage(attributes, 4, &request) ||
      !lazy_submessage(request, 2, &http) || !lazy_session(http, 3, &session))
    return NULL;
  /* `encode_raw_headers` sends a HeaderMap instead. */
  if (session.at == NULL && (!lazy_submessage(http, 13, &map) || !lazy_session(map, 1, &session)))
    return NULL;
  return &all->check[lazy_hash(session) % LAZY_ENDPOINTS];
}

#endif
