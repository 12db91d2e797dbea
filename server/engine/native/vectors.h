/* A type for vectors of float32 numbers, and its operations, for each kind of processor. */
#ifndef VECTORS_H
#define VECTORS_H
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512 vec;
#define LANES 16
#define MOST_VECTORS 5
#define load(p) _mm512_loadu_ps(p)
#define store(p, v) _mm512_storeu_ps(p, v)
#define all(x) _mm512_set1_ps(x)
#define fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define largest(a, b) _mm512_max_ps(a, b)
#define least(a, b) _mm512_min_ps(a, b)
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
typedef __m256 vec;
#define LANES 8
#define MOST_VECTORS 3
#define load(p) _mm256_loadu_ps(p)
#define store(p, v) _mm256_storeu_ps(p, v)
#define all(x) _mm256_set1_ps(x)
#define fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define largest(a, b) _mm256_max_ps(a, b)
#define least(a, b) _mm256_min_ps(a, b)
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
typedef float32x4_t vec;
#define LANES 4
#define MOST_VECTORS 5
#define load(p) vld1q_f32(p)
#define store(p, v) vst1q_f32(p, v)
#define all(x) vdupq_n_f32(x)
#define fma(a, b, c) vfmaq_f32(c, a, b)
/* If a and b are equal or one of them is NaN, the result is b, as with x86's instructions. */
#define largest(a, b) vbslq_f32(vcgtq_f32(a, b), a, b)
#define least(a, b) vbslq_f32(vcltq_f32(a, b), a, b)
#else
/* On other processors, the compiler chooses the instructions. */
typedef float vec __attribute__((vector_size(16)));
typedef int32_t mask __attribute__((vector_size(16)));
#define LANES 4
#define MOST_VECTORS 3
INLINE vec load(const float *p) {
  vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vec v) { memcpy(p, &v, sizeof v); }
INLINE vec all(float x) { return (vec){x, x, x, x}; }
INLINE vec chosen(mask first, vec a, vec b) { return (vec)((first & (mask)a) | (~first & (mask)b)); }
INLINE vec largest(vec a, vec b) { return chosen(a > b, a, b); }
INLINE vec least(vec a, vec b) { return chosen(a < b, a, b); }
#define IN_REGISTER(v)
#define fma(a, b, c) multiply_add(a, b, c)
#if defined(__FP_FAST_FMAF) || defined(__ARM_FEATURE_FMA)
INLINE vec multiply_add(vec a, vec b, vec c) {
  for (int i = 0; i < LANES; i++) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
}
#else
/* Not fused: without hardware support, fused operations would take many times as long. */
#define FUSED 0
INLINE vec multiply_add(vec a, vec b, vec c) { return a * b + c; }
#endif
#endif

/*
 * Keeps a vector in a register. Otherwise, the compiler may load the vector from memory again for
 * each row.
 */
#if defined(__x86_64__) && !defined(IN_REGISTER)
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#elif !defined(IN_REGISTER)
#define IN_REGISTER(v) __asm__("" : "+w"(v))
#endif

#if !defined(FUSED)
#define FUSED 1
#endif

#endif
