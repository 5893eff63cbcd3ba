// The PTB tokenizer for many captions at once.
#pragma once

#include <nanobind/nanobind.h>

void register_tokenizer(nanobind::module_& module);
