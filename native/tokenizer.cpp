#include "tokenizer.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "parallel.h"
#include "scanner.h"
#include "texts.h"

namespace nb = nanobind;

namespace firstsight {

namespace {

constexpr std::size_t LEAST_CAPTIONS = 2048;  // of one thread

// What one thread found in the captions [first, last).
struct Part {
    std::size_t first;
    std::size_t last;
    Vocabulary words = {};
    std::vector<std::size_t> word_captions = {};  // (words,) the caption in which each is first
    std::vector<std::int32_t> ids = {};           // (tokens,) places in `words`
    std::vector<std::size_t> left_over = {};      // the captions that are left to the rules, ascending
};

// The captions that are left to the rules, after the rules.
struct LeftOver {
    nb::list tokens;
    std::vector<std::int32_t> ids = {};  // (tokens,)
};

using Views = std::vector<std::string_view>;  // without data: the caption is not ASCII

Views views_of(const nb::list& captions) {
    Views views;
    views.reserve(captions.size());
    for (const nb::handle caption : captions) {
        check_text(caption);
        views.push_back(is_ascii(caption) ? ascii_view(caption) : std::string_view{});
    }
    return views;
}

void scan(const Views& captions, const Abbreviations& abbreviations, Part& part, std::int64_t* lengths) {
    Scanner scanner(abbreviations);
    for (std::size_t i = part.first; i < part.last; ++i) {
        if (captions[i].data() == nullptr || !scanner.scan(captions[i])) {
            part.left_over.push_back(i);
            continue;
        }
        lengths[i] = static_cast<std::int64_t>(scanner.tokens().size());
        for (const std::string_view token : scanner.tokens()) {
            part.ids.push_back(part.words.add(token));
            if (part.words.size() > part.word_captions.size()) part.word_captions.push_back(i);
        }
    }
}

// Calls work(k, part) for part after part, in as many threads as there are parts.
template <typename Work>
void for_each(std::vector<Part>& parts, const Work& work) {
    share(parts.size(), static_cast<int>(parts.size()), [&] {
        return [&](std::size_t k) { work(k, parts[k]); };
    });
}

std::vector<Part> parts_of(std::size_t n_captions, std::size_t n_threads) {
    const std::size_t n_wanted = std::min(n_captions / LEAST_CAPTIONS, n_threads);
    const std::size_t n_parts = std::max<std::size_t>(n_wanted, 1);
    std::vector<Part> parts;
    for (std::size_t k = 0; k < n_parts; ++k) {
        parts.push_back({.first = n_captions * k / n_parts, .last = n_captions * (k + 1) / n_parts});
    }
    return parts;
}

LeftOver ask_rules(const nb::list& captions, const std::vector<Part>& parts, const nb::callable& rules) {
    nb::list asked;
    for (const Part& part : parts) {
        for (const std::size_t at : part.left_over) asked.append(captions[at]);
    }
    LeftOver found{.tokens = asked.size() == 0 ? nb::list() : nb::cast<nb::list>(rules(asked))};
    if (found.tokens.size() != asked.size()) throw nb::value_error("the rules gave another number of captions");
    return found;
}

// Adds the tokens of the next caption that was left over; returns how many they are.
std::size_t add_tokens(nb::handle tokens, Vocabulary& words, std::vector<std::int32_t>& ids) {
    std::size_t n = 0;
    std::string padded;
    for (const nb::handle token : tokens) {
        Py_ssize_t length = 0;
        check_text(token);
        const char* bytes = PyUnicode_AsUTF8AndSize(token.ptr(), &length);
        if (bytes == nullptr) throw nb::python_error();
        padded.assign(bytes, static_cast<std::size_t>(length)).append(8, '\0');
        ids.push_back(words.add({padded.data(), static_cast<std::size_t>(length)}));
        ++n;
    }
    return n;
}

// Puts the words of all parts and of the captions left over into one vocabulary, in the order of the captions, so that
// it does not depend on the number of threads. Returns for each part the new number of each of its words.
std::vector<std::vector<std::int32_t>> merge(const std::vector<Part>& parts, LeftOver& left_over, Vocabulary& words,
                                             std::int64_t* lengths) {
    std::vector<std::vector<std::int32_t>> numbers;
    std::size_t asked = 0;
    for (const Part& part : parts) {
        auto next = part.left_over.begin();
        const auto add_before = [&](std::size_t caption) {
            for (; next != part.left_over.end() && *next < caption; ++next) {
                const auto n = add_tokens(left_over.tokens[asked++], words, left_over.ids);
                lengths[*next] = static_cast<std::int64_t>(n);
            }
        };
        auto& renumbered = numbers.emplace_back();
        for (std::size_t k = 0; k < part.words.size(); ++k) {
            add_before(part.word_captions[k]);
            renumbered.push_back(words.add(part.words[k]));
        }
        add_before(part.last);
    }
    return numbers;
}

// Writes the ids of the captions of one part, those left over from `left_over` on.
void fill(const Part& part, const std::vector<std::int32_t>& numbers, const std::int32_t* left_over,
          const std::int64_t* offsets, std::int32_t* ids) {
    auto next = part.left_over.begin();
    const std::int32_t* known = part.ids.data();
    for (std::size_t i = part.first; i < part.last; ++i) {
        const auto n = offsets[i + 1] - offsets[i];
        std::int32_t* out = ids + offsets[i];
        if (next != part.left_over.end() && *next == i) {
            std::copy_n(left_over, n, out);
            left_over += n;
            ++next;
        } else {
            std::transform(known, known + n, out, [&](std::int32_t id) { return numbers[id]; });
            known += n;
        }
    }
}

nb::list texts_of(const Vocabulary& words) {
    nb::list texts;
    for (std::size_t k = 0; k < words.size(); ++k) {
        const std::string_view word = words[k];
        PyObject* text = PyUnicode_DecodeUTF8(word.data(), static_cast<Py_ssize_t>(word.size()), "strict");
        if (text == nullptr) throw nb::python_error();
        texts.append(nb::steal(text));
    }
    return texts;
}

template <typename T>
using Array = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

template <typename T>
Array<T> array_of(std::vector<T> &&values) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* at) noexcept { delete static_cast<std::vector<T> *>(at); });
    return Array<T>(kept->data(), {kept->size()}, owner);
}

// Returns (words, ids, offsets) of the token table of the captions. `rules` gives the tokens of each caption of a list;
// it is called with the captions of which the outcome is not certain, if there are any.
nb::tuple tokenize(const nb::list& captions, const nb::callable& rules, const Abbreviations& abbreviations,
                   std::size_t n_threads) {
    const Views views = views_of(captions);
    std::vector<Part> parts = parts_of(views.size(), n_threads);
    std::vector<std::int64_t> offsets(views.size() + 1);
    std::int64_t* lengths = offsets.data() + 1;
    {
        nb::gil_scoped_release released;
        for_each(parts, [&](std::size_t, Part& part) { scan(views, abbreviations, part, lengths); });
    }
    LeftOver left_over = ask_rules(captions, parts, rules);
    Vocabulary words;
    const auto numbers = merge(parts, left_over, words, lengths);
    std::vector<const std::int32_t *> left_over_ids;  // where those of each part begin
    const std::int32_t* at = left_over.ids.data();
    for (const Part& part : parts) {
        left_over_ids.push_back(at);
        for (const std::size_t caption : part.left_over) at += lengths[caption];
    }
    for (std::size_t i = 0; i < views.size(); ++i) offsets[i + 1] += offsets[i];
    std::vector<std::int32_t> ids(static_cast<std::size_t>(offsets.back()));
    {
        nb::gil_scoped_release released;
        for_each(parts, [&](std::size_t k, const Part& part) {
            fill(part, numbers[k], left_over_ids[k], offsets.data(), ids.data());
        });
    }
    return nb::make_tuple(texts_of(words), array_of(std::move(ids)), array_of(std::move(offsets)));
}

}  // namespace

}  // namespace firstsight

void register_tokenizer(nb::module_& module) {
    using firstsight::Abbreviations;
    nb::class_<Abbreviations>(module, "Abbreviations")
        .def(nb::init<std::vector<std::string>, std::vector<std::string>>(), nb::arg("kept"), nb::arg("unsure"));
    module.def("tokenize", &firstsight::tokenize, nb::arg("captions"), nb::arg("rules"), nb::arg("abbreviations"),
               nb::arg("n_threads"));
}
