// The tokens of a corpus as firstsight.metrics.corpus.CorpusTokens holds them, checked before anything is read.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace firstsight {

template <class Scalar>
using Vector = nanobind::ndarray<const Scalar, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;

using Words = std::span<const std::int32_t>;

// Holds the arrays themselves, so their memory stays; copies of it share them. All checks are in the constructor.
class Corpus {
  public:
    Corpus(Vector<std::int32_t> ids, Vector<std::int64_t> offsets, Vector<std::int64_t> reference_offsets,
           std::int32_t n_words)
        : ids_(ids), offsets_(offsets), reference_offsets_(reference_offsets) {
        require(offsets.shape(0) > 0 && reference_offsets.shape(0) > 0, "offsets are empty");
        n_captions = offsets.shape(0) - 1;
        n_images = reference_offsets.shape(0) - 1;
        n_tokens = ids.shape(0);
        tokens_ = ids.data();
        begins_ = offsets.data();
        references_ = reference_offsets.data();
        require(begins_[0] == 0 && begins_[n_captions] == static_cast<std::int64_t>(n_tokens),
                "captions do not cover the tokens");
        for (std::size_t i = 0; i < n_captions; ++i) require(begins_[i] <= begins_[i + 1], "offsets do not ascend");
        require(references_[0] >= static_cast<std::int64_t>(n_images), "references begin among the candidates");
        for (std::size_t i = 0; i < n_images; ++i)
            require(references_[i] < references_[i + 1], "an image has no reference");
        require(references_[n_images] <= static_cast<std::int64_t>(n_captions),
                "there are fewer captions than references");
        for (std::size_t i = 0; i < n_tokens; ++i)
            require(tokens_[i] >= 0 && tokens_[i] < n_words, "a token has no word");
    }

    std::size_t begin(std::size_t caption) const { return static_cast<std::size_t>(begins_[caption]); }
    std::size_t end(std::size_t caption) const { return static_cast<std::size_t>(begins_[caption + 1]); }
    std::size_t length(std::size_t caption) const { return end(caption) - begin(caption); }
    Words words(std::size_t caption) const { return {tokens_ + begin(caption), length(caption)}; }
    const std::int32_t* tokens() const { return tokens_; }

    // The references of an image are the captions first_reference(image) up to, without, first_reference(image + 1).
    std::size_t first_reference(std::size_t image) const { return static_cast<std::size_t>(references_[image]); }

    std::size_t n_captions = 0, n_images = 0, n_tokens = 0;

  private:
    static void require(bool is_so, const char* otherwise) {
        if (!is_so) throw std::invalid_argument(otherwise);
    }

    Vector<std::int32_t> ids_;
    Vector<std::int64_t> offsets_, reference_offsets_;
    const std::int32_t* tokens_ = nullptr;
    const std::int64_t* begins_ = nullptr;
    const std::int64_t* references_ = nullptr;
};

// Give an array to NumPy, which frees it. Needs the GIL.
template <class Scalar>
nanobind::ndarray<nanobind::numpy, Scalar> to_numpy(Scalar* data, std::initializer_list<std::size_t> shape) {
    nanobind::capsule owner(data, [](void* memory) noexcept { delete[] static_cast<Scalar*>(memory); });
    return {data, shape.size(), shape.begin(), owner};
}

}  // namespace firstsight
