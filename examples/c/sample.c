/* Draws two series from a condition that `geng-edge encode` wrote, and prints them as CSV.
 *
 *     sample MODEL.gguf LATENT.npy > series.csv
 */
#include <geng/geng.h>
#include <stdio.h>
#include <stdlib.h>

static float series[2][512];

int main(int count, char** arguments) {
  char error[256];
  geng_model* model = NULL;
  float* condition = NULL;
  geng_request request;

  if (count != 3) {
    fprintf(stderr, "usage: %s MODEL.gguf LATENT.npy\n", arguments[0]);
    return 2;
  }
  if (geng_open(arguments[1], GENG_INT8, 0, &model, error, sizeof error) != GENG_OK) {
    fprintf(stderr, "%s\n", error);
    return 3;
  }
  geng_request_init(&request);
  request.count = 2;
  request.guidance = 1.5;
  request.seed = 7;
  if (geng_read_condition(model, arguments[2], &condition, &request.tokens) != GENG_OK) {
    fprintf(stderr, "%s\n", geng_last_error(model));
    geng_close(model);
    return 2;
  }
  request.condition = condition;
  if (geng_sample(model, &request, series[0]) != GENG_OK) {
    fprintf(stderr, "%s\n", geng_last_error(model));
  } else {
    for (size_t t = 0; t < 512; ++t) {
      printf("%zu,%.9g,%.9g\n", t, (double)series[0][t], (double)series[1][t]);
    }
  }
  geng_free(condition);
  geng_close(model);
  return 0;
}
