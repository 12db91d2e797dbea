/*
 * The functions that JavaScript calls: stepping and training with the kernel, and reading out
 * patches. The read-outs equal those of vnca/readout.ts, byte for byte.
 */
#include "kernel.h"

#ifdef __linux__
#include <malloc.h>
#include <pthread.h>
#include <time.h>
#endif
#include <stdint.h>
#include <string.h>

/*
 * Declares the functions of Node-API that this file uses, because Node's header files are not
 * installed on every machine.
 */
typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
#define NODE_API extern int
NODE_API napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
NODE_API napi_set_named_property(napi_env, napi_value, const char *, napi_value);
NODE_API napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
NODE_API napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
NODE_API napi_create_int64(napi_env, int64_t, napi_value *);
NODE_API napi_throw_range_error(napi_env, const char *, const char *);

#ifdef __GLIBC__
/* Weak symbols: a prebuilt kernel loads even if the C library does not have these functions. */
#pragma weak malloc_trim
#pragma weak mallopt
#endif

enum { MOST_ARRAYS = 16 };

/*
 * The arguments of a call from JavaScript. If an argument is not a typed array, its data and length
 * are 0.
 */
typedef struct {
  napi_env env;
  void *data[MOST_ARRAYS];
  size_t length[MOST_ARRAYS];
} Arrays;

static Arrays arrays_of(napi_env env, napi_callback_info info) {
  Arrays arrays = {.env = env};
  napi_value values[MOST_ARRAYS];
  size_t count = MOST_ARRAYS;
  napi_get_cb_info(env, info, &count, values, 0, 0);
  if (count > MOST_ARRAYS) count = MOST_ARRAYS;
  for (size_t i = 0; i < count; i++) {
    if (napi_get_typedarray_info(env, values[i], 0, &arrays.length[i], &arrays.data[i], 0, 0) != 0) {
      arrays.length[i] = 0;
      arrays.data[i] = 0;
    }
  }
  return arrays;
}

static napi_value number(napi_env env, int64_t value) {
  napi_value result = 0;
  napi_create_int64(env, value, &result);
  return result;
}

/*
 * Creates a Net from the integers that `shapeOf` in native.ts lists. The first integer, the number
 * of patches, is not part of a Net.
 */
static Net net_of(const int32_t *shape) {
  return (Net){
      .side = shape[1],
      .channels = shape[2],
      .hidden = shape[3],
      .elu = shape[4],
      .activates = shape[5],
      .blocks = shape[6],
      .depth = shape[7],
      .activates_last = shape[8],
      .wide_channels = whole_vectors(shape[2]),
      .wide_hidden = whole_vectors(shape[3]),
  };
}

/*
 * Called from JavaScript as skip(numbers: Float32Array). Returns the index of the first number that
 * begins a cache line.
 */
static napi_value skip(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  return number(env, (int64_t)(-(uintptr_t)arrays.data[0] % 64 / sizeof(float)));
}

/*
 * Called from JavaScript as fused(). Returns 1 if the kernel computes multiply-add as one fused
 * operation, otherwise 0.
 */
static napi_value fused(napi_env env, napi_callback_info info) { return number(env, is_fused); }

/*
 * Called from JavaScript as measure(net, sizes: Int32Array). Writes four numbers to `sizes`: the
 * number of lanes of a vector, and the results of perception_size, layers_size and memory_size.
 */
static napi_value measure(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  const Net net = net_of(arrays.data[0]);
  const ptrdiff_t found[4] = {whole_vectors(1), perception_size(&net), layers_size(&net), memory_size(&net)};
  for (size_t i = 0; i < arrays.length[1] && i < 4; i++) ((int32_t *)arrays.data[1])[i] = (int32_t)found[i];
  return 0;
}

/*
 * Called from JavaScript as step(net, fixed, states, after, own, mask, weights). `net` holds the
 * integers that net_of reads. `fixed` begins on a cache line. It holds `kept` and `limit` of Net
 * (padded to a cache line), then the kernel of perception, then the layers (only if `own` is not
 * given), then working memory. For the other arrays, see Batch in kernel.h.
 */
static napi_value step(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  const int32_t *shape = arrays.data[0];
  float *fixed = arrays.data[1];
  Net net = net_of(shape);
  net.kept = fixed[0];
  net.limit = fixed[1];
  const size_t count = shape[0], cells = count * net.side * net.side;
  const size_t genomes = arrays.data[6] && cells ? arrays.length[6] / cells : 0;
  const size_t own = arrays.data[4] ? (genomes ? genomes : count) * layers_size(&net) : 0;
  float *perception = fixed + 64 / sizeof(float), *layers = perception + perception_size(&net);
  float *memory = own ? layers : layers + layers_size(&net);
  if (arrays.length[2] != cells * net.channels || arrays.length[3] != arrays.length[2] || arrays.length[4] != own ||
      (arrays.data[5] && arrays.length[5] != cells) || arrays.length[6] != genomes * cells ||
      (genomes && (count != 1 || genomes > MOST_GENOMES || !own)) || memory + memory_size(&net) > fixed + arrays.length[1]) {
    napi_throw_range_error(env, 0, "an array's length does not fit the net");
    return 0;
  }
  const Batch batch = {
      .count = count,
      .perception = perception,
      .layers = layers,
      .own = arrays.data[4],
      .states = arrays.data[2],
      .mask = arrays.data[5],
      .weights = genomes ? arrays.data[6] : 0,
      .genomes = (int)genomes,
      .after = arrays.data[3],
  };
  step_batch(&net, &batch, memory);
  return 0;
}

/*
 * Creates a Rollout and its Net from the arguments of `train`. The first argument is an array of
 * integers: the integers that net_of reads, then `steps`, `sets`, `scales` and `records` of
 * Rollout. The other arguments are, in this order: an array that holds `kept` and `limit` of Net;
 * the working memory; and the arrays of Rollout, in the order of its fields.
 */
static Rollout rollout_of(const Arrays *arrays, Net *net) {
  const int32_t *shape = arrays->data[0];
  const float *rates = arrays->data[1];
  *net = net_of(shape);
  if (rates) net->kept = rates[0], net->limit = rates[1];
  Rollout of = {shape[0], shape[9], shape[10], shape[11], shape[12], arrays->data[2]};
  memcpy(of.arrays, arrays->data + 3, sizeof of.arrays);
  return of;
}

/*
 * Called from JavaScript as rollout(net), where `net` is the first argument of `train`. Returns the
 * size of the working memory that `train` needs (rollout_size). If the number of steps is 0,
 * returns the size of one patch's layers (row_size).
 */
static napi_value rollout(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  Net net;
  const Rollout of = rollout_of(&arrays, &net);
  return number(env, of.steps > 0 ? rollout_size(&net, &of) : row_size(&net));
}

/*
 * Called from JavaScript as train(...) with the arguments that rollout_of reads. If the array
 * `change` (a gradient, see Rollout) is absent, computes the steps of the rollout. If `change` is
 * given, differentiates the steps of the preceding call, which must have used the same working
 * memory.
 */
static napi_value train(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  Net net;
  const Rollout of = rollout_of(&arrays, &net);
  const size_t cells = (size_t)of.count * net.side * net.side, states = cells * net.channels;
  const size_t kernel = (size_t)9 * net.channels * net.hidden, layers = of.sets * row_size(&net);
  const size_t wanted[] = {kernel, layers, states, states, states, cells * of.steps, cells, cells,
                           states, states, states, kernel, layers};
  int fits = arrays.length[2] >= (size_t)rollout_size(&net, &of);
  for (int i = 0; i < 13; i++) {
    if (of.arrays[i] ? arrays.length[3 + i] != wanted[i] : i < 5) fits = 0;
  }
  if (of.change && !(of.records && of.before && of.total_layers)) fits = 0;
  if (!fits) napi_throw_range_error(env, 0, "an array's length does not fit the rollout");
  else if (of.change) reverse_steps(&net, &of);
  else forward_steps(&net, &of);
  return 0;
}

typedef float four_floats __attribute__((vector_size(16)));
typedef double four_doubles __attribute__((vector_size(32)));

/* Converts four channels from 0...1 to bytes, as toByte in vnca/readout.ts does. */
static inline void write_bytes(const float *state, const int32_t *channels, uint8_t *rgba) {
  const four_floats value = {state[channels[0]], state[channels[1]], state[channels[2]], state[channels[3]]};
  const four_doubles scaled = __builtin_convertvector(value, four_doubles) * 255 + 0.5;
  for (int i = 0; i < 4; i++) rgba[i] = value[i] > 0 ? value[i] >= 1 ? 255 : (uint8_t)scaled[i] : 0;
}

static int is_bare(const float *state, int channels) {
  for (int c = 0; c < channels; c++) {
    if (state[c] != 0) return 0;
  }
  return 1;
}

/*
 * The lookup table INK of vnca/readout.ts, which gives the sigmoid of a logit between -limit and
 * limit as a byte. Lower logits give the byte 0, higher logits give 255.
 */
typedef struct {
  double limit, per_logit;
  const uint8_t *bytes;
  const float *next;
} Ink;

static inline uint8_t ink_of(float logit, const Ink *ink) {
  if (!(logit > -ink->limit)) return 0;
  if (logit >= ink->limit) return 255;
  const int32_t i = (int32_t)((logit + ink->limit) * ink->per_logit);
  return logit < ink->next[i] ? ink->bytes[i] : ink->bytes[i] + 1;
}

/*
 * Called from JavaScript as read(shown: Float32Array, state, rgba, presence, bytes, next). Writes a
 * patch's picture to `rgba` and its aliveness to `presence`. `shown` holds, in this order: the
 * number of channels, the channel of aliveness (-1 if aliveness is alpha), the limit of the table
 * in Ink, and the channels of the picture. A picture in colour has the channels of R, G, B and
 * alpha. A picture without colours has one channel of logits, followed by -1. For `bytes` and
 * `next`, see Ink.
 *
 * @returns 1 if every number of the state is finite, otherwise 0
 */
static napi_value read(napi_env env, napi_callback_info info) {
  const Arrays arrays = arrays_of(env, info);
  const float *shown = arrays.data[0];
  int32_t seen[4] = {-1, -1, -1, -1};
  for (size_t i = 0; i < 4 && 3 + i < arrays.length[0]; i++) seen[i] = (int32_t)shown[3 + i];
  const int32_t channels = (int32_t)shown[0], presence_channel = (int32_t)shown[1];
  const int32_t alive_channels[4] = {presence_channel, presence_channel, presence_channel, presence_channel};
  const Ink ink = {shown[2], arrays.length[4] / (2 * (double)shown[2]), arrays.data[4], arrays.data[5]};
  const float *state = arrays.data[1];
  uint8_t *rgba = arrays.data[2], *presence = arrays.data[3];
  const size_t cells = arrays.length[3], size = cells * channels;
  if (arrays.length[1] != size || arrays.length[2] != 4 * cells) {
    napi_throw_range_error(env, 0, "an array's length does not fit the patch");
    return 0;
  }
  for (size_t i = 0; i < cells; i++) {
    const float *cell = state + i * channels;
    if (seen[1] >= 0) {
      write_bytes(cell, seen, rgba + 4 * i);
    } else {
      const float logit = cell[seen[0]];
      memset(rgba + 4 * i, logit == 0 && is_bare(cell, channels) ? 0 : ink_of(logit, &ink), 4);
    }
    presence[i] = rgba[4 * i + 3];
    if (presence_channel >= 0 && presence_channel != seen[3]) {
      uint8_t alive[4];
      write_bytes(cell, alive_channels, alive);
      presence[i] = alive[0];
    }
  }
  uint32_t broken = 0;
  for (size_t i = 0; i < size; i++) {
    uint32_t bits;
    memcpy(&bits, state + i, sizeof bits);
    broken |= (bits & 0x7f800000) == 0x7f800000;
  }
  return number(env, !broken);
}

/*
 * Called from JavaScript as trim(). Gives the memory that malloc no longer uses back to the
 * operating system, at most once every 6 s. malloc_trim runs in a thread that executes no code of
 * this library, because the library may be unloaded meanwhile.
 */
static napi_value trim(napi_env env, napi_callback_info info) {
#ifdef __GLIBC__
  static time_t last;
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  const time_t now = clock.tv_sec;
  pthread_t thread;
  if (!malloc_trim || now - last < 6) return 0;
  last = now;
  if (pthread_create(&thread, 0, (void *(*)(void *))malloc_trim, 0) == 0) pthread_detach(thread);
#endif
  return 0;
}

/* Size, in bytes, above which freed buffers are given back to the operating system immediately. */
#define MOST_KEPT (128 * 1024)

/*
 * Exports this file's functions to JavaScript. Node calls this function in each thread that loads
 * the add-on.
 */
__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"fused", fused}, {"skip", skip}, {"measure", measure}, {"step", step},
                   {"rollout", rollout}, {"train", train}, {"read", read}, {"trim", trim}};
#ifdef __GLIBC__
  /*
   * Set the threshold explicitly, which stops glibc from adjusting it. Otherwise, glibc raises the
   * threshold to as much as 32 MB, and the process keeps the memory of freed buffers.
   */
  if (mallopt) mallopt(M_MMAP_THRESHOLD, MOST_KEPT);
#endif
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, SIZE_MAX, functions[i].call, 0, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
