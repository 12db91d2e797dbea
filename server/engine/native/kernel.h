/* Steps batches of patches; see kernel.c. Sizes count float32 numbers. */
#ifndef KERNEL_H
#define KERNEL_H
#include <stddef.h>

/* A cell rule and the side of its patches. */
typedef struct {
  int side, channels, hidden, elu;
  /* The trunk, as in vnca/architecture.ts: blocks of `depth` layers, all but the last of which are activated. */
  int activates, blocks, depth, activates_last;
  /* Numbers per cell, with those that fill the last vector. */
  int wide_channels, wide_hidden;
  /* kept is 1 - leak; the limit may be infinite. */
  float kept, limit;
} Net;

/* Patches of one net: states, after [count, side, side, channels], mask [count, side, side] or none. */
typedef struct {
  ptrdiff_t count;
  /* [36, channels, wide_hidden], and of all patches what layers_size counts; unless each has its own. */
  const float *perception, *layers, *own;
  const float *states, *mask;
  float *after;
} Batch;

/* Whether multiplications are fused with additions; without, results differ in their last bits. */
extern const int is_fused;

/* As many numbers, and those that fill the last vector. */
int whole_vectors(int numbers);

ptrdiff_t perception_size(const Net *net);

/* Of a patch: scales and shifts of perception [wide_hidden], then each layer's weights and shifts. */
ptrdiff_t layers_size(const Net *net);

/* Of the memory that a step writes to. */
ptrdiff_t memory_size(const Net *net);

/* Steps each patch once. */
void step_batch(const Net *net, const Batch *batch, float *memory);

#endif
