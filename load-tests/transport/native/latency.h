/* Latencies in buckets of 1/32 of a power of two, as few enough to clear before each slice. */
#ifndef SWITCHYARD_LATENCY_H
#define SWITCHYARD_LATENCY_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#define LATENCY_STEPS 32
#define LATENCY_BUCKETS (48 * LATENCY_STEPS)

typedef struct {
  uint64_t count;
  uint32_t buckets[LATENCY_BUCKETS];
} latencies;

static inline uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline uint64_t own_cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline void latencies_clear(latencies *all) { memset(all, 0, sizeof *all); }

static inline void latencies_add(latencies *all, uint64_t ns) {
  unsigned power = ns < LATENCY_STEPS ? 5 : 63 - (unsigned)__builtin_clzll(ns);
  unsigned index = (power - 5) * LATENCY_STEPS + (unsigned)(ns >> (power - 5)) - (power > 5 ? LATENCY_STEPS : 0);
  if (power > 5) index += LATENCY_STEPS;
  if (index >= LATENCY_BUCKETS) index = LATENCY_BUCKETS - 1;
  all->buckets[index]++;
  all->count++;
}

/* The lower edge of the bucket in which the quantile (0..1) lies; 0 when nothing was added. */
static inline uint64_t latencies_quantile(const latencies *all, double quantile) {
  uint64_t wanted = (uint64_t)(quantile * (double)all->count), seen = 0;
  for (unsigned index = 0; index < LATENCY_BUCKETS; index++) {
    seen += all->buckets[index];
    if (seen > wanted) {
      if (index < 2 * LATENCY_STEPS) return index;
      unsigned shift = index / LATENCY_STEPS - 1;
      return (uint64_t)(LATENCY_STEPS + index % LATENCY_STEPS) << shift;
    }
  }
  return 0;
}

#endif
