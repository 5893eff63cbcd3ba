// The native core: the same numbers as the Python core, faster. Functions take and give NumPy arrays.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

NB_MODULE(_native, module) {
    module.attr("VERSION") = 1;
}
