/* Compiled as C99: the header must be plain C. */
#include <geng/geng.h>

geng_request a_request(void);

geng_request a_request(void) {
  geng_request request;
  geng_request_init(&request);
  return request;
}
