// Every kernel that is written once, for an F32 of any width (vec.h of the including folder).
// clang-format off: each builds on the ones before
#include "cpu/generic/map.inl"
#include "cpu/generic/activation.inl"
#include "cpu/generic/combine.inl"
#include "cpu/generic/layernorm.inl"
#include "cpu/generic/quantize.inl"
#include "cpu/generic/store.inl"
#include "cpu/generic/matmul_f32.inl"
#include "cpu/generic/attention.inl"
#include "cpu/generic/peak.inl"
#include "cpu/generic/matmul_i8_store.inl"
// clang-format on
