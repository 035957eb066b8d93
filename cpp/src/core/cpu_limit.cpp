#include "core/cpu_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace geng {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// "quota" and "period" in microseconds; v2 writes "max" and v1 -1 when there is no quota.
double ratio(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : kUnlimited;
}

/// v2: one file, "200000 100000" or "max 100000".
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0;
  double period = 0;
  return file >> quota >> period ? ratio(quota, period) : kUnlimited;
}

/// v1: two files of the cpu controller.
double quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  return quota_file >> quota && period_file >> period ? ratio(quota, period) : kUnlimited;
}

/// The smallest quota of `group` and all above it. Inside a container the group's own path is often
/// not visible while the mount's root is the container's group, so the root is always asked too.
double smallest(const std::string& mount, std::string group, double (*quota)(const std::string&)) {
  double least = quota(mount);
  while (group.size() > 1) {
    least = std::min(least, quota(mount + group));
    group.erase(group.rfind('/'));
  }
  return least;
}

/// True when the comma-separated `controllers` of a v1 line name "cpu".
bool has_cpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

}  // namespace

double cgroup_cpu_quota(const std::string& groups, const std::string& mount) {
  double least = kUnlimited;
  const std::string mount_folder = mount + "/";
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {  // hierarchy:controllers:/path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, smallest(mount, group, quota_v2));
    } else if (has_cpu(controllers)) {
      for (const std::string& folder : {controllers, std::string("cpu")}) {
        least = std::min(least, smallest(mount_folder + folder, group, quota_v1));
      }
    }
  }
  return least;
}

}  // namespace geng
