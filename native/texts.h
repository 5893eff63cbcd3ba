// Texts: a vocabulary that numbers distinct tokens, and Python texts as bytes.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace firstsight {

// Numbers distinct tokens 0, 1, ... in the order in which they are first added. The hash has a seed of this process,
// so that nobody can write captions whose tokens all collide.
class Vocabulary {
  public:
    Vocabulary();

    // Returns the number of a token. Up to seven bytes behind it are read.
    std::int32_t add(std::string_view token);

    std::size_t size() const { return places_.size(); }
    std::string_view operator[](std::size_t number) const {
        return {bytes_.data() + places_[number].start, places_[number].length};
    }

  private:
    struct Place {
        std::size_t start;
        std::size_t length;
    };
    struct Slot {
        std::uint64_t hash;
        std::int32_t number;  // -1: the slot is free
    };

    void grow();

    std::vector<char> bytes_;  // every token, one behind the other, each with padding
    std::vector<Place> places_;
    std::vector<Slot> slots_;  // open addressing; a power of two
};

// Whether the text is ASCII, so that `ascii_view` can be taken of it.
inline bool is_ascii(nanobind::handle text) { return PyUnicode_IS_ASCII(text.ptr()); }

// The characters of an ASCII text, not copied; valid as long as the text lives.
inline std::string_view ascii_view(nanobind::handle text) {
    return {static_cast<const char *>(PyUnicode_DATA(text.ptr())),
            static_cast<std::size_t>(PyUnicode_GET_LENGTH(text.ptr()))};
}

// Throws TypeError unless the object is a text.
void check_text(nanobind::handle object);

}  // namespace firstsight

void register_texts(nanobind::module_& module);
