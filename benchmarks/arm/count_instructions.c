/* A plugin of QEMU's code generator (user mode): counts the instructions of the emulated CPU, in
 * all and by function. Debian ships no header for it; the declarations below are those of version 1
 * of the interface (QEMU 6.0 and later), as far as they are used here.
 *
 *   gcc -O2 -shared -fPIC -o libcount.so count_instructions.c
 *   qemu-aarch64 -cpu cortex-a76 -plugin ./libcount.so[,symbols=on] PROGRAM ARGUMENTS
 *
 * At exit one line goes to standard error: {"instructions": N}; with symbols=on a line
 * {"symbol": NAME, "instructions": N} follows for every function that ran. Counts repeat to the
 * last instruction when the environment does. One emulated thread only: counters are not atomic. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t,
                                                              struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb* block, enum qemu_plugin_op op,
                                              void* counter, uint64_t amount);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*ended)(qemu_plugin_id_t, void*),
                                    void* user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t i);
const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn* instruction);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* A function that ran. Never freed: translated code adds to `count` until the program ends. */
struct symbol {
  char* name;
  uint64_t count;
  struct symbol* next;
};

enum { kBuckets = 4096 };
static struct symbol* buckets[kBuckets];
static uint64_t total;
static bool by_symbol;

static struct symbol* symbol_of(const char* name) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (const char* c = name; *c != 0; ++c) hash = (hash ^ (unsigned char)*c) * 16777619u;
  struct symbol** head = &buckets[hash % kBuckets];
  for (struct symbol* s = *head; s != NULL; s = s->next) {
    if (strcmp(s->name, name) == 0) return s;
  }
  struct symbol* added = calloc(1, sizeof *added);
  added->name = strdup(name);
  added->next = *head;
  return *head = added;
}

/* A translated block never spans functions, so its first instruction names it. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb* block) {
  (void)id;
  const size_t n = qemu_plugin_tb_n_insns(block);
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &total, n);
  if (!by_symbol) return;
  const char* name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
  struct symbol* s = symbol_of(name != NULL ? name : "?");
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &s->count, n);
}

static void ended(qemu_plugin_id_t id, void* user) {
  (void)id, (void)user;
  fprintf(stderr, "{\"instructions\": %" PRIu64 "}\n", total);
  for (size_t i = 0; i < kBuckets; ++i) {
    for (const struct symbol* s = buckets[i]; s != NULL; s = s->next) {
      fprintf(stderr, "{\"symbol\": \"%s\", \"instructions\": %" PRIu64 "}\n", s->name, s->count);
    }
  }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t* info, int argc,
                                                               char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strcmp(argv[i], "symbols=on") != 0) {
      fprintf(stderr, "count: %s is no argument; it must be symbols=on\n", argv[i]);
      return -1;
    }
    by_symbol = true;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
