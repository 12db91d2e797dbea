/*
 * Loads a kernel's add-on as Node does, and calls its functions for another process: for kernels of other processors,
 * which an emulator runs. See remote-kernel.ts.
 *
 * A request on standard input is the name of a function (32 bytes) and the number of arguments; for each argument its
 * size in bytes, or -1 if it is undefined, and the size of an element; and then the data of all arguments. The answer
 * is whether the call threw, its number, and the data of all arguments after the call.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int32_t size, element;
  char *data;
} Argument;

static struct {
  char name[32];
  void *(*call)(void *, void *);
} functions[16];
static int function_count;
static Argument arguments[32];
static int32_t argument_count, has_thrown;
static int64_t answer;

/* The part of Node-API that the add-on uses. */
int napi_create_function(void *env, const char *name, size_t size, void *call, void *data, void **result) {
  strncpy(functions[function_count].name, name, 31);
  *(void **)&functions[function_count++].call = call;
  return 0;
}
int napi_set_named_property(void *env, void *object, const char *name, void *value) { return 0; }
int napi_get_cb_info(void *env, void *info, size_t *count, void **values, void *self, void **data) {
  for (size_t i = 0; i < *count && i < argument_count; i++) values[i] = arguments + i;
  *count = argument_count;
  return 0;
}
int napi_get_typedarray_info(void *env, void *value, int *type, size_t *length, void **data, void *buffer, size_t *at) {
  const Argument *argument = value;
  if (argument->size < 0) return 1;
  *length = argument->size / argument->element;
  *data = argument->data;
  return 0;
}
int napi_create_int64(void *env, int64_t value, void **result) {
  answer = value;
  return 0;
}
int napi_throw_range_error(void *env, const char *code, const char *message) { return has_thrown = 1; }

static void read_all(void *to, size_t size) {
  if (fread(to, 1, size, stdin) != size) exit(feof(stdin) ? 0 : 1);
}

int main(int count, char **words) {
  void *add_on = dlopen(words[count - 1], RTLD_LAZY);
  if (!add_on) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  ((void *(*)(void *, void *))dlsym(add_on, "napi_register_module_v1"))(0, 0);
  for (char name[32];;) {
    read_all(name, sizeof name);
    read_all(&argument_count, 4);
    for (int i = 0; i < argument_count; i++) read_all(&arguments[i], 8);
    for (int i = 0; i < argument_count; i++) {
      const int size = arguments[i].size;
      if (size < 0) continue;
      /* Only what begins at a cache line in Node does so here: the kernel skips nothing. */
      arguments[i].data = aligned_alloc(64, (size / 64 + 1) * 64);
      read_all(arguments[i].data, size);
    }
    int f = 0;
    while (f < function_count && strcmp(functions[f].name, name)) f++;
    has_thrown = 0;
    answer = 0;
    functions[f].call(0, 0);
    fwrite(&has_thrown, 4, 1, stdout);
    fwrite(&answer, 8, 1, stdout);
    for (int i = 0; i < argument_count; i++) {
      if (arguments[i].size < 0) continue;
      fwrite(arguments[i].data, 1, arguments[i].size, stdout);
      free(arguments[i].data);
    }
    fflush(stdout);
  }
}
