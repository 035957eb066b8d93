// geng-bench: what a board does with a model, without Python. The same figures as `geng-edge
// bench`, but for the quality of what is drawn.

#include <cstdio>
#include <exception>

#include "geng/error.h"
#include "matmul.h"
#include "measure.h"
#include "options.h"
#include "report.h"

int main(int count, char** arguments) {
  using namespace geng::bench;
  try {
    const Options options = parse(count, arguments);
    if (options.help) {
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (options.matmul) {
      for (const std::string& isa : options.isa)
        std::fputs(table(measure_matmul(isa)).c_str(), stdout);
      return 0;
    }
    bool first = true;
    measure(options, [&](const Row& row) {
      if (first) std::fputs(head(options.format).c_str(), stdout);
      std::fputs(line(options.format, row, first).c_str(), stdout);
      std::fflush(stdout);
      first = false;
    });
    std::fputs(foot(options.format).c_str(), stdout);
    return 0;
  } catch (const geng::Error& error) {
    std::fprintf(stderr, "geng-bench: %s\n", error.what());
    return error.code() == geng::Code::model_file ? 3 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "geng-bench: %s\n", error.what());
    return 70;
  }
}
