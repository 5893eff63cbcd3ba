// The native core: the same numbers as the Python core, faster. Functions take and give NumPy arrays.
#include <nanobind/nanobind.h>

#include "ngrams.h"
#include "texts.h"
#include "tokenizer.h"

void register_lcs(nanobind::module_& module);
void register_meteor(nanobind::module_& module);

NB_MODULE(_native, module) {
    nanobind::set_leak_warnings(false);  // an interpreter that ends early is no concern of the user
    module.attr("VERSION") = 1;
    register_lcs(module);
    register_meteor(module);
    register_ngrams(module);
    register_texts(module);
    register_tokenizer(module);
}
