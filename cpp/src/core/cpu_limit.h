#pragma once

#include <string>

namespace geng {

/// CPUs that the cgroup of a process allows it: quota / period, the smallest on the way from its
/// group up to the root. Infinity when nothing limits it or nothing can be read.
///
/// @param groups  Text of /proc/self/cgroup (both hierarchies' lines are understood).
/// @param mount   Where the cgroup file systems are mounted: /sys/fs/cgroup.
double cgroup_cpu_quota(const std::string& groups, const std::string& mount);

}  // namespace geng
