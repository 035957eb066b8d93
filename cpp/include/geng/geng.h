#pragma once

#include <stddef.h>
#include <stdint.h>

/* The C interface of geng-edge, for firmware without Python. Link libgeng.a.
 *
 * Every function that can fail returns 0 or a GENG_* code; geng_last_error() then holds a sentence.
 * Sizes are counts of values, not bytes. Nothing is printed and no signal is raised. */

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* "0.1.0" */
const char* geng_version(void);

typedef struct geng_model geng_model;

enum {
  GENG_OK = 0,
  GENG_INVALID_ARGUMENT = 1, /* the request does not fit this model; nothing was computed */
  GENG_MODEL_FILE = 2,       /* the file is not whole, or not a model */
  GENG_NOT_FINITE = 3,       /* a NaN or an infinity came out of the model */
  GENG_CANCELLED = 4,        /* the progress callback returned 0 */
  GENG_OUT_OF_MEMORY = 5,
  GENG_INTERNAL = 6
};

enum { GENG_INT8 = 0, GENG_FLOAT32 = 1 };

/* What to generate and how. Set it with geng_request_init(), then change what matters. */
typedef struct geng_request {
  const float* condition; /* [tokens, geng_condition_width()], from geng_encode_text() */
  size_t tokens;
  size_t count;        /* series, 1 .. 65536 and at most 1 GiB of latents; default 1 */
  size_t length;       /* steps of each, a multiple of 8 from 64 to 4096; default 512 */
  const char* solver;  /* "dpmpp_2m" (default), "ddim" or "ddpm" */
  int steps;           /* denoising steps; default 8 */
  double guidance;     /* 0 .. 20; default 0, which costs half of any other */
  double guidance_low; /* guided while low <= t / T <= high; default 0 and 1 */
  double guidance_high;
  double eta;                                       /* 0 .. 1, "ddim" only; default 0 */
  uint64_t seed;                                    /* of the first series; series i has seed + i */
  int (*progress)(int done, int total, void* user); /* 0 stops; may be NULL */
  void* user;
} geng_request;

void geng_request_init(geng_request* request);

/* Loads and checks a model. On failure *model is NULL and `error` (may be NULL) holds the sentence,
 * cut to error_size - 1 bytes. threads: 0 = what affinity and quota allow.
 * The file is mapped: replace it by rename, never in place, or reads raise SIGBUS. */
int geng_open(const char* path, int precision, int threads, geng_model** model, char* error,
              size_t error_size);
/* The same with everything that can be chosen. Strings may be NULL. */
typedef struct geng_options {
  int precision;   /* GENG_INT8 (default) or GENG_FLOAT32 */
  int threads;     /* including the calling one; 0 (default) = what affinity and quota allow */
  const char* isa; /* kernel set; default $GENG_FORCE_ISA, then the best this CPU runs */
  const char* cache_folder; /* keeps packed weights for the next start; default: nowhere */
} geng_options;
int geng_open_with(const char* path, const geng_options* options, geng_model** model, char* error,
                   size_t error_size);
/* Accepts NULL. */
void geng_close(geng_model* model);

/* The sentence of the last call on this model that failed, "" if none did. Valid until the next.
 * One model is for one thread at a time; open it twice to serve two. */
const char* geng_last_error(const geng_model* model);

size_t geng_condition_width(const geng_model* model);
size_t geng_max_tokens(const geng_model* model);
/* Steps of a series in training. */
size_t geng_window(const geng_model* model);
/* Name of the kernel set in use. */
const char* geng_isa(const geng_model* model);
/* SHA-256 of the weights, 64 hexadecimal digits. */
const char* geng_fingerprint(const geng_model* model);

/* Reads a condition that `geng-edge encode` wrote (.npy, float32 [tokens, geng_condition_width()]).
 * *condition must be given back with geng_free(); it is NULL on failure. Nothing in the file is
 * ever executed, and its sizes are checked before memory is taken. */
int geng_read_condition(geng_model* model, const char* path, float** condition, size_t* tokens);
/* Accepts NULL. */
void geng_free(float* condition);

/* ids [tokens], [CLS] and [SEP] included; numbers [tokens, 32] -> condition [tokens, width]. */
int geng_encode_text(geng_model* model, const int32_t* ids, const float* numbers, size_t tokens,
                     float* condition);

/* Writes series [count, length], in the unit of the description. Untouched on failure. */
int geng_sample(geng_model* model, const geng_request* request, float* series);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
