#include "texts.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

namespace nb = nanobind;

namespace firstsight {

namespace {

const std::uint64_t SEED = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}();

constexpr std::size_t WORD_BYTES = 8;
constexpr std::size_t FIRST_SLOTS = 1 << 12;

// The bytes from `at` as a number, those from `n` on as zeros.
std::uint64_t load(const char* at, std::size_t n) {
    std::uint64_t word;
    std::memcpy(&word, at, WORD_BYTES);
    if (n >= WORD_BYTES) return word;
    if constexpr (std::endian::native == std::endian::little) return word & ((std::uint64_t{1} << (8 * n)) - 1);
    return n == 0 ? 0 : word >> (8 * (WORD_BYTES - n));
}

std::uint64_t mix(std::uint64_t state) {
    state ^= state >> 32;
    state *= 0x9E3779B97F4A7C15u;  // 2^64 divided by the golden ratio
    return state ^ (state >> 29);
}

std::uint64_t hash(std::string_view text) {
    std::uint64_t state = SEED ^ text.size();
    const char* at = text.data();
    for (std::size_t left = text.size(); left > 0; left -= std::min(left, WORD_BYTES), at += WORD_BYTES) {
        state = mix(state ^ load(at, left)) * 0xBF58476D1CE4E5B9u;
    }
    return mix(state);
}

}  // namespace

Vocabulary::Vocabulary() : slots_(FIRST_SLOTS, Slot{0, -1}) {}

std::int32_t Vocabulary::add(std::string_view token) {
    const std::uint64_t key = hash(token);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key & mask;
    while (slots_[at].number >= 0) {
        if (slots_[at].hash == key && (*this)[slots_[at].number] == token) return slots_[at].number;
        at = (at + 1) & mask;
    }
    const auto number = static_cast<std::int32_t>(places_.size());
    slots_[at] = {key, number};
    places_.push_back({bytes_.size(), token.size()});
    bytes_.insert(bytes_.end(), token.begin(), token.end());
    bytes_.insert(bytes_.end(), WORD_BYTES, '\0');
    if (2 * places_.size() > slots_.size()) grow();
    return number;
}

void Vocabulary::grow() {
    std::vector<Slot> slots(2 * slots_.size(), Slot{0, -1});
    const std::size_t mask = slots.size() - 1;
    for (const Slot& slot : slots_) {
        if (slot.number < 0) continue;
        std::size_t at = slot.hash & mask;
        while (slots[at].number >= 0) at = (at + 1) & mask;
        slots[at] = slot;
    }
    slots_.swap(slots);
}

void check_text(nb::handle object) {
    if (PyUnicode_Check(object.ptr())) return;
    PyErr_Format(PyExc_TypeError, "a caption must be a text (str), got %.100s", Py_TYPE(object.ptr())->tp_name);
    throw nb::python_error();
}

namespace {

// The UTF-8 bytes of texts; those that are not ASCII are encoded and kept until this goes.
class Utf8 {
  public:
    std::string_view operator()(nb::handle text) {
        check_text(text);
        if (is_ascii(text)) return ascii_view(text);
        PyObject* bytes = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass");
        if (bytes == nullptr) throw nb::python_error();
        encoded_.push_back(nb::steal(bytes));
        return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
    }

  private:
    std::vector<nb::object> encoded_;
};

class Output {
  public:
    explicit Output(std::size_t n_bytes) { bytes_.reserve(n_bytes); }

    void number(std::uint64_t value) {
        char bytes[sizeof value];
        for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
        bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
    }
    void text(std::string_view text) {
        number(text.size());
        bytes_.insert(bytes_.end(), text.begin(), text.end());
    }
    nb::bytes bytes() const { return nb::bytes(bytes_.data(), bytes_.size()); }

  private:
    std::vector<char> bytes_;
};

struct Image {
    std::uint64_t beginning;  // of the id, see below
    std::string_view id;
    std::size_t first;  // of its references
    std::size_t last;
};

// The first eight bytes as a number that orders as they do, so that few texts need a second look when they are sorted.
std::uint64_t beginning_of(std::string_view text) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < WORD_BYTES; ++i) {
        number = number << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0u);
    }
    return number;
}

bool comes_before(const Image& a, const Image& b) {
    return a.beginning != b.beginning ? a.beginning < b.beginning : a.id < b.id;
}

// What `reference_set_hash` hashes; the ids are distinct.
nb::bytes reference_set_bytes(nb::sequence image_ids, nb::sequence references) {
    Utf8 utf8;
    std::vector<Image> images;
    std::vector<std::string_view> captions;
    const nb::object ids = nb::steal(PySequence_Fast(image_ids.ptr(), "image ids are a sequence"));
    const nb::object groups = nb::steal(PySequence_Fast(references.ptr(), "references are a sequence"));
    if (!ids.is_valid() || !groups.is_valid()) throw nb::python_error();
    if (nb::len(ids) != nb::len(groups)) throw nb::value_error("there are not as many ids as groups of references");
    std::vector<nb::object> held;
    std::size_t n_bytes = 0;
    for (std::size_t i = 0; i < nb::len(ids); ++i) {
        held.push_back(nb::steal(PySequence_Fast(PySequence_Fast_ITEMS(groups.ptr())[i], "references are a sequence")));
        if (!held.back().is_valid()) throw nb::python_error();
        PyObject* group = held.back().ptr();
        const auto first = captions.size();
        for (Py_ssize_t j = 0; j < PySequence_Fast_GET_SIZE(group); ++j) {
            captions.push_back(utf8(PySequence_Fast_ITEMS(group)[j]));
            n_bytes += captions.back().size() + sizeof(std::uint64_t);
        }
        std::sort(captions.begin() + static_cast<std::ptrdiff_t>(first), captions.end());
        const std::string_view id = utf8(PySequence_Fast_ITEMS(ids.ptr())[i]);
        images.push_back({beginning_of(id), id, first, captions.size()});
        n_bytes += images.back().id.size() + 2 * sizeof(std::uint64_t);
    }
    std::sort(images.begin(), images.end(), comes_before);
    Output output(n_bytes);
    for (const Image& image : images) {
        output.text(image.id);
        output.number(image.last - image.first);
        for (auto at = image.first; at < image.last; ++at) output.text(captions[at]);
    }
    return output.bytes();
}

}  // namespace

}  // namespace firstsight

void register_texts(nb::module_& module) {
    module.def("reference_set_bytes", &firstsight::reference_set_bytes, nb::arg("image_ids"), nb::arg("references"));
}
