// The runs of one to four words of a corpus: numbered once, counted for BLEU and CIDEr, looked up in another corpus.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "corpus.h"

namespace firstsight {

constexpr std::size_t MAX_N = 4;

// One to four words by number, 32 bits each, in two machine words; all bits are set where there is no word.
struct NGram {
    std::uint64_t front = ~std::uint64_t{0}, back = ~std::uint64_t{0};

    bool operator==(const NGram&) const = default;

    // Word i, or -1.
    std::int32_t operator[](std::size_t i) const {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>((i < 2 ? front : back) >> (i % 2 * 32)));
    }

    void set(std::size_t i, std::int32_t word) {
        std::uint64_t& pair = i < 2 ? front : back;
        const std::size_t shift = i % 2 * 32;
        pair &= ~(std::uint64_t{UINT32_MAX} << shift);
        pair |= std::uint64_t{static_cast<std::uint32_t>(word)} << shift;
    }

    NGram first(std::size_t n) const {
        constexpr std::uint64_t ALL = ~std::uint64_t{0}, SECOND = ALL << 32;
        return {n < 2 ? front | SECOND : front, n < 3 ? ALL : n < 4 ? back | SECOND : back};
    }
};

extern const std::uint64_t HASH_SEED;

// Distinct n-grams, numbered from 0 in the order in which they came, with a value each. Open addressing over the
// numbers; the hash has a seed of this process, so that nobody can write captions whose n-grams all collide.
template <class Value>
class NGramMap {
  public:
    static constexpr std::uint32_t NONE = UINT32_MAX;
    struct Entry {
        NGram ngram;
        Value value;
    };

    explicit NGramMap(std::size_t n_expected = 0)
        : slots_(std::bit_ceil(std::max<std::size_t>(16, 2 * n_expected)), NONE) {}

    // The number of an n-gram, or NONE.
    std::uint32_t find(const NGram& ngram) const { return slots_[slot_of(ngram)]; }

    // The number of an n-gram; a new one gets an empty value.
    std::uint32_t add(const NGram& ngram) {
        std::uint32_t& slot = slots_[slot_of(ngram)];
        if (slot != NONE) return slot;
        const auto number = slot = static_cast<std::uint32_t>(entries_.size());
        entries_.push_back({ngram, Value{}});
        if (2 * entries_.size() > slots_.size()) grow();
        return number;
    }

    std::size_t size() const { return entries_.size(); }
    Entry& operator[](std::uint32_t number) { return entries_[number]; }
    const Entry& operator[](std::uint32_t number) const { return entries_[number]; }
    auto begin() const { return entries_.begin(); }
    auto end() const { return entries_.end(); }

  private:
    std::size_t slot_of(const NGram& ngram) const {
        std::uint64_t hash = (ngram.front ^ HASH_SEED) * 0x9E3779B97F4A7C15u;  // odd, from the golden ratio
        hash = (hash ^ (hash >> 32) ^ ngram.back) * 0xD6E8FEB86659FD93u;
        const std::size_t mask = slots_.size() - 1;
        std::size_t slot = (hash ^ (hash >> 32)) & mask;
        while (slots_[slot] != NONE && entries_[slots_[slot]].ngram != ngram) slot = (slot + 1) & mask;
        return slot;
    }

    void grow() {
        slots_.assign(2 * slots_.size(), NONE);
        for (std::uint32_t number = 0; number < entries_.size(); ++number)
            slots_[slot_of(entries_[number].ngram)] = number;
    }

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> slots_;  // a number, or NONE; a power of two of them, at most half in use
};

// All n-grams of a corpus, candidates and references, each with its place in one list, and the number of images of
// which some reference has it. Time and memory are linear in the number of tokens. N-grams are dealt out to parts by
// their first word, so that a part fits into the cache and no two threads touch the same one.
class NGramIndex {
  public:
    NGramIndex(const Corpus& corpus, int n_threads);

    const Corpus& corpus() const { return corpus_; }
    std::size_t n_ngrams() const { return document_frequencies_.size(); }
    const std::vector<std::int64_t>& document_frequencies() const { return document_frequencies_; }

    // The place of the n-gram that begins at a token; only where its caption has n words from there.
    std::uint32_t place(std::size_t token, std::size_t n) const { return places_[token][n - 1]; }

    // Call see(place, ngram) for each n-gram, in order of place.
    template <class See>
    void for_each(See see) const {
        std::size_t place = 0;
        for (const Part& part : parts_)
            for (const auto& entry : part) see(place++, entry.ngram);
    }

  private:
    // A token of an image's references, or of a candidate if the image is -1, and the words from there.
    struct Start {
        NGram words;
        std::uint32_t token;
        std::int32_t image;
    };
    struct Dealt {
        std::unique_ptr<Start[]> starts;  // of part after part, ascending by token in each
        std::vector<std::size_t> begins;  // (n_parts + 1)
    };
    struct Seen {
        std::int32_t n_images = 0;
        std::int32_t last_image = -1;
    };
    using Part = NGramMap<Seen>;
    using Places = std::array<std::uint32_t, MAX_N>;

    std::vector<std::int32_t> images_of_captions() const;
    std::size_t part_of(std::int32_t word) const;
    NGram words_from(std::size_t token, std::size_t end) const;
    Dealt deal(int n_threads) const;
    void number(Part& part, std::span<const Start> starts);
    void join(int n_threads);

    Corpus corpus_;
    unsigned log2_n_parts_ = 0;
    std::vector<Part> parts_;
    std::unique_ptr<Places[]> places_;                // by token
    std::vector<std::int64_t> document_frequencies_;  // by place
};

}  // namespace firstsight

void register_ngrams(nanobind::module_& module);
