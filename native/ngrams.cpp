#include "ngrams.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <utility>

#include <nanobind/stl/optional.h>

#include "parallel.h"

namespace nb = nanobind;

namespace firstsight {
namespace {

constexpr std::size_t TOKENS_A_PART = 8192;  // what comes of them stays in a cache of 256 KB
constexpr unsigned MAX_LOG2_PARTS = 8;
constexpr std::size_t CAPTIONS_A_TASK = 2048;
constexpr std::size_t TOKENS_A_TASK = 32768;
constexpr std::size_t IMAGES_A_TASK = 256;
constexpr std::size_t BLEU_WIDTH = 2 + 2 * MAX_N;
constexpr std::size_t CIDER_WIDTH = 2;

std::size_t n_starts(std::size_t n_words, std::size_t n) { return n_words < n ? 0 : n_words - n + 1; }

}  // namespace

const std::uint64_t HASH_SEED = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}();

NGramIndex::NGramIndex(const Corpus& corpus, int n_threads) : corpus_(corpus) {
    if (corpus.n_tokens >= (std::size_t{1} << 30) || corpus.n_captions >= (std::size_t{1} << 31))
        throw std::length_error("the native core scores at most 2^30 words at once; score the corpus in parts");
    log2_n_parts_ = std::min(MAX_LOG2_PARTS, static_cast<unsigned>(std::bit_width(corpus.n_tokens / TOKENS_A_PART)));
    places_ = std::make_unique_for_overwrite<Places[]>(corpus.n_tokens);
    const Dealt dealt = deal(n_threads);
    parts_.resize(dealt.begins.size() - 1);
    share(parts_.size(), n_threads, [&] {
        return [&](std::size_t part) {
            const Start* starts = dealt.starts.get();
            number(parts_[part], {starts + dealt.begins[part], starts + dealt.begins[part + 1]});
        };
    });
    join(n_threads);
}

std::vector<std::int32_t> NGramIndex::images_of_captions() const {
    std::vector<std::int32_t> images(corpus_.n_captions, -1);
    for (std::size_t image = 0; image < corpus_.n_images; ++image) {
        const std::size_t end = corpus_.first_reference(image + 1);
        for (std::size_t caption = corpus_.first_reference(image); caption < end; ++caption)
            images[caption] = static_cast<std::int32_t>(image);
    }
    return images;
}

std::size_t NGramIndex::part_of(std::int32_t word) const {
    const std::uint32_t hash = static_cast<std::uint32_t>(word) * 0x9E3779B1u;  // a prime near the golden ratio
    return static_cast<std::size_t>((std::uint64_t{hash} << log2_n_parts_) >> 32);
}

NGram NGramIndex::words_from(std::size_t token, std::size_t end) const {
    NGram words;
    for (std::size_t n = 0; n < std::min(MAX_N, end - token); ++n) words.set(n, corpus_.tokens()[token + n]);
    return words;
}

// Two passes, so that each task writes where no other does: count the starts of each part, then put them there.
NGramIndex::Dealt NGramIndex::deal(int n_threads) const {
    const std::size_t n_parts = std::size_t{1} << log2_n_parts_;
    const std::size_t n_tasks = (corpus_.n_captions + CAPTIONS_A_TASK - 1) / CAPTIONS_A_TASK;
    std::vector<std::size_t> cursors(n_tasks * n_parts, 0);  // (task, part)
    share_runs(corpus_.n_captions, CAPTIONS_A_TASK, n_threads, [&] {
        return [&](std::size_t begin, std::size_t end) {
            std::size_t* counts = &cursors[begin / CAPTIONS_A_TASK * n_parts];
            for (std::size_t token = corpus_.begin(begin); token < corpus_.end(end - 1); ++token)
                ++counts[part_of(corpus_.tokens()[token])];
        };
    });
    Dealt dealt{std::make_unique_for_overwrite<Start[]>(corpus_.n_tokens), std::vector<std::size_t>(n_parts + 1, 0)};
    std::size_t total = 0;
    for (std::size_t part = 0; part < n_parts; ++part) {
        for (std::size_t task = 0; task < n_tasks; ++task)
            total += std::exchange(cursors[task * n_parts + part], total);
        dealt.begins[part + 1] = total;
    }
    const std::vector<std::int32_t> images = images_of_captions();
    share_runs(corpus_.n_captions, CAPTIONS_A_TASK, n_threads, [&] {
        return [&](std::size_t begin, std::size_t end) {
            std::size_t* at = &cursors[begin / CAPTIONS_A_TASK * n_parts];
            for (std::size_t caption = begin; caption < end; ++caption)
                for (std::size_t token = corpus_.begin(caption), last = corpus_.end(caption); token < last; ++token)
                    dealt.starts[at[part_of(corpus_.tokens()[token])]++] = {
                        words_from(token, last), static_cast<std::uint32_t>(token), images[caption]};
        };
    });
    return dealt;
}

// Number the n-grams of a part and count the images of each, whose references come one after another.
void NGramIndex::number(Part& part, std::span<const Start> starts) {
    part = Part(starts.size() / 2);
    for (const Start& start : starts) {
        Places places{};
        for (std::size_t n = 0; n < MAX_N && start.words[n] >= 0; ++n) {
            places[n] = part.add(start.words.first(n + 1));
            Seen& seen = part[places[n]].value;
            if (start.image < 0 || seen.last_image == start.image) continue;
            seen.last_image = start.image;
            ++seen.n_images;
        }
        places_[start.token] = places;
    }
}

// Put the parts behind one another: a place is a number within a part, behind all of the parts before.
void NGramIndex::join(int n_threads) {
    std::vector<std::uint32_t> bases;
    std::size_t n_ngrams = 0;
    for (const Part& part : parts_) {
        bases.push_back(static_cast<std::uint32_t>(n_ngrams));
        n_ngrams += part.size();
    }
    document_frequencies_.reserve(n_ngrams);
    for (const Part& part : parts_)
        for (const auto& entry : part) document_frequencies_.push_back(entry.value.n_images);
    share_runs(corpus_.n_tokens, TOKENS_A_TASK, n_threads, [&] {
        return [&](std::size_t begin, std::size_t end) {
            for (std::size_t token = begin; token < end; ++token) {
                const std::uint32_t base = bases[part_of(corpus_.tokens()[token])];
                for (std::uint32_t& place : places_[token]) place += base;
            }
        };
    });
}

namespace {

// Numbers the n-grams of one image from 0 in order of appearance; linear, whatever the image has.
class Numbering {
  public:
    static constexpr std::uint32_t NONE = UINT32_MAX;

    explicit Numbering(std::size_t n_ngrams) : next_(n_ngrams, 0) {}

    std::uint32_t find(std::uint32_t place) const { return next_[place] - 1; }

    std::uint32_t add(std::uint32_t place) {
        if (next_[place] == 0) {
            seen_.push_back(place);
            next_[place] = static_cast<std::uint32_t>(seen_.size());
        }
        return next_[place] - 1;
    }

    void clear() {
        for (const std::uint32_t place : seen_) next_[place] = 0;
        seen_.clear();
    }

  private:
    std::vector<std::uint32_t> next_;  // by place: 1 + number, or 0
    std::vector<std::uint32_t> seen_;
};

// The whole numbers that firstsight.metrics.bleu.Bleu.statistics describes.
class BleuWorker {
  public:
    explicit BleuWorker(const NGramIndex& index) : index_(index), numbers_(index.n_ngrams()) {}

    void operator()(std::size_t image, double* row) {
        const Corpus& corpus = index_.corpus();
        const std::size_t length = corpus.length(image);
        row[0] = static_cast<double>(length);
        row[1] = static_cast<double>(closest_length(image));
        for (std::size_t n = 1; n <= MAX_N; ++n) {
            row[1 + n] = static_cast<double>(matches(image, n));
            row[1 + MAX_N + n] = static_cast<double>(n_starts(length, n));
        }
    }

  private:
    std::size_t closest_length(std::size_t image) const {
        const Corpus& corpus = index_.corpus();
        const std::size_t ours = corpus.length(image);
        std::size_t closest = corpus.length(corpus.first_reference(image));
        auto distance = [ours](std::size_t theirs) { return theirs > ours ? theirs - ours : ours - theirs; };
        for (std::size_t r = corpus.first_reference(image) + 1; r < corpus.first_reference(image + 1); ++r) {
            const std::size_t length = corpus.length(r);
            if (std::pair(distance(length), length) < std::pair(distance(closest), closest)) closest = length;
        }
        return closest;
    }

    std::size_t matches(std::size_t image, std::size_t n) {
        const Corpus& corpus = index_.corpus();
        counts_.clear();
        each(image, n, [&](std::uint32_t place) {
            const std::uint32_t number = numbers_.add(place);
            if (number == counts_.size()) counts_.push_back({0, 0, 0});
            ++counts_[number].candidate;
        });
        for (std::size_t r = corpus.first_reference(image); r < corpus.first_reference(image + 1); ++r) {
            each(r, n, [&](std::uint32_t place) {
                const std::uint32_t number = numbers_.find(place);
                if (number == Numbering::NONE) return;
                Counts& counts = counts_[number];
                counts.most = std::max(counts.most, ++counts.reference);
            });
            each(r, n, [&](std::uint32_t place) {
                const std::uint32_t number = numbers_.find(place);
                if (number != Numbering::NONE) counts_[number].reference = 0;
            });
        }
        numbers_.clear();
        std::size_t total = 0;
        for (const Counts& counts : counts_) total += std::min(counts.candidate, counts.most);
        return total;
    }

    template <class See>
    void each(std::size_t caption, std::size_t n, See see) const {
        const std::size_t begin = index_.corpus().begin(caption);
        const std::size_t end = begin + n_starts(index_.corpus().length(caption), n);
        for (std::size_t token = begin; token < end; ++token) see(index_.place(token, n));
    }

    struct Counts {
        std::uint32_t candidate, reference, most;
    };
    const NGramIndex& index_;
    Numbering numbers_;
    std::vector<Counts> counts_;
};

// The score of one image as firstsight.metrics.cider adds it up: the same operations in the same order.
class CiderWorker {
  public:
    // Sigma is the width of the length penalty of CIDEr-D, which also clips; CIDEr has none and does not.
    CiderWorker(const NGramIndex& index, const std::vector<double>& weights, std::optional<double> sigma, double scale)
        : index_(index), weights_(weights), sigma_(sigma), scale_(scale), numbers_(index.n_ngrams()) {}

    void operator()(std::size_t image, double* row) {
        const Corpus& corpus = index_.corpus();
        const std::size_t first = corpus.first_reference(image), last = corpus.first_reference(image + 1);
        totals_.assign(last - first, 0.0);
        for (std::size_t n = 1; n <= MAX_N; ++n) add_cosines(image, n);
        double sum = 0.0;
        for (std::size_t r = first; r < last; ++r)
            sum += penalty(corpus.length(image), corpus.length(r)) * totals_[r - first] / static_cast<double>(MAX_N);
        row[0] = scale_ * sum / static_cast<double>(last - first);
        row[1] = 1.0;
    }

  private:
    double penalty(std::size_t ours, std::size_t theirs) const {
        if (!sigma_) return 1.0;
        const double difference = static_cast<double>(n_starts(ours, 2)) - static_cast<double>(n_starts(theirs, 2));
        return std::exp(-(difference * difference) / (2.0 * (*sigma_ * *sigma_)));
    }

    void add_cosines(std::size_t image, std::size_t n) {
        const Corpus& corpus = index_.corpus();
        const std::size_t first = corpus.first_reference(image), last = corpus.first_reference(image + 1);
        ngrams_.clear();
        count(image, n);
        const double norm = take([](NGramOfImage& ngram, double weight) { ngram.candidate = weight; });
        for (std::size_t r = first; r < last && norm > 0; ++r) {
            count(r, n);
            double product = 0.0;
            const double norms = norm * take([&](NGramOfImage& ngram, double weight) {
                const double ours = sigma_ ? std::min(ngram.candidate, weight) : ngram.candidate;
                if (ngram.candidate != 0.0) product += ours * weight;
            });
            if (norms > 0) totals_[r - first] += product / norms;
        }
        numbers_.clear();
    }

    // Count the n-grams of a caption; order_ then has their numbers, by first appearance in it.
    void count(std::size_t caption, std::size_t n) {
        const std::size_t begin = index_.corpus().begin(caption);
        const std::size_t end = begin + n_starts(index_.corpus().length(caption), n);
        for (std::size_t token = begin; token < end; ++token) {
            const std::uint32_t place = index_.place(token, n);
            const std::uint32_t number = numbers_.add(place);
            if (number == ngrams_.size()) ngrams_.push_back({0.0, weights_[place], 0});
            if (ngrams_[number].count++ == 0) order_.push_back(number);
        }
    }

    // Call see(ngram, weight) for what was counted, forget the counts, and return the norm of the weights.
    template <class See>
    double take(See see) {
        double sum = 0.0;
        for (const std::uint32_t number : order_) {
            NGramOfImage& ngram = ngrams_[number];
            const double weight = static_cast<double>(ngram.count) * ngram.weight;
            ngram.count = 0;
            sum += weight * weight;
            see(ngram, weight);
        }
        order_.clear();
        return std::sqrt(sum);
    }

    struct NGramOfImage {
        double candidate;  // its weight times its count in the candidate
        double weight;
        std::uint32_t count;  // in the caption that is being read
    };
    const NGramIndex& index_;
    const std::vector<double>& weights_;  // by place
    std::optional<double> sigma_;
    double scale_;
    Numbering numbers_;
    std::vector<NGramOfImage> ngrams_;  // by number
    std::vector<std::uint32_t> order_;
    std::vector<double> totals_;  // by reference
};

// ln n_images - ln max(1, count); logarithms of small counts are taken once.
std::vector<double> inverse_frequencies(std::span<const std::int64_t> counts, std::int64_t n_images) {
    constexpr std::int64_t N_KEPT = 4096;
    const double log_n_images = std::log(static_cast<double>(n_images));
    auto weight = [log_n_images](std::int64_t count) {
        return log_n_images - std::log(static_cast<double>(std::max<std::int64_t>(1, count)));
    };
    std::vector<double> kept(N_KEPT), weights(counts.size());
    for (std::int64_t count = 0; count < N_KEPT; ++count) kept[static_cast<std::size_t>(count)] = weight(count);
    std::ranges::transform(counts, weights.begin(), [&](std::int64_t count) {
        return count >= 0 && count < N_KEPT ? kept[static_cast<std::size_t>(count)] : weight(count);
    });
    return weights;
}

template <class Worker, class... Arguments>
auto table_of_images(const NGramIndex& index, std::size_t width, int n_threads, const Arguments&... arguments) {
    const std::size_t n_images = index.corpus().n_images;
    auto rows = std::make_unique_for_overwrite<double[]>(n_images * width);
    {
        nb::gil_scoped_release release;
        share_runs(n_images, IMAGES_A_TASK, n_threads, [&] {
            return [&, worker = Worker(index, arguments...)](std::size_t begin, std::size_t end) mutable {
                for (std::size_t image = begin; image < end; ++image) worker(image, &rows[image * width]);
            };
        });
    }
    return to_numpy(rows.release(), {n_images, width});
}

auto bleu_statistics(const NGramIndex& index, int n_threads) {
    return table_of_images<BleuWorker>(index, BLEU_WIDTH, n_threads);
}

auto cider_statistics(const NGramIndex& index, Vector<std::int64_t> counts, std::int64_t n_images,
                      std::optional<double> sigma, double scale, int n_threads) {
    if (counts.shape(0) != index.n_ngrams()) throw std::invalid_argument("one count for each n-gram");
    const std::vector<double> weights = inverse_frequencies({counts.data(), counts.shape(0)}, n_images);
    return table_of_images<CiderWorker>(index, CIDER_WIDTH, n_threads, weights, sigma, scale);
}

auto ngrams_of(const NGramIndex& index) {
    auto rows = std::make_unique_for_overwrite<std::int32_t[]>(index.n_ngrams() * MAX_N);
    index.for_each([&](std::size_t place, const NGram& ngram) { 
        for (std::size_t n = 0; n < MAX_N; ++n) rows[place * MAX_N + n] = ngram[n];
    });
    return to_numpy(rows.release(), {index.n_ngrams(), MAX_N});
}

auto frequencies_of(const NGramIndex& index) {
    const std::vector<std::int64_t>& frequencies = index.document_frequencies();
    using Shared = nb::ndarray<nb::numpy, const std::int64_t, nb::ndim<1>>;
    return Shared(frequencies.data(), {frequencies.size()}, nb::handle());
}

// Counts of n-grams whose words have the numbers of one vocabulary, looked up for a corpus that has another.
class NGramCounts {
  public:
    using Rows = nb::ndarray<const std::int32_t, nb::shape<-1, MAX_N>, nb::c_contig, nb::device::cpu>;

    NGramCounts(Rows ngrams, Vector<std::int64_t> counts) : counts_(ngrams.shape(0)) {
        if (ngrams.shape(0) != counts.shape(0)) throw std::invalid_argument("one count for each n-gram");
        if (ngrams.shape(0) >= UINT32_MAX) throw std::length_error("more than 2^32 n-grams");
        nb::gil_scoped_release release;
        for (std::size_t row = 0; row < ngrams.shape(0); ++row) {
            NGram ngram;
            for (std::size_t n = 0; n < MAX_N; ++n) ngram.set(n, ngrams.data()[row * MAX_N + n]);
            counts_[counts_.add(ngram)].value = counts.data()[row];
        }
    }

    // words[w] is the number here of word w of the corpus, or -1; an n-gram that is unknown here has the count 0.
    auto of(const NGramIndex& index, Vector<std::int32_t> words) const {
        auto found = std::make_unique<std::int64_t[]>(index.n_ngrams());
        {
            nb::gil_scoped_release release;
            index.for_each([&](std::size_t place, NGram ngram) {
                for (std::size_t n = 0; n < MAX_N && ngram[n] >= 0; ++n) {
                    const auto word = static_cast<std::size_t>(ngram[n]);
                    if (word >= words.shape(0)) throw std::invalid_argument("a word has no number");
                    if (words.data()[word] < 0) return;
                    ngram.set(n, words.data()[word]);
                }
                const std::uint32_t number = counts_.find(ngram);
                if (number != counts_.NONE) found[place] = counts_[number].value;
            });
        }
        return to_numpy(found.release(), {index.n_ngrams()});
    }

  private:
    NGramMap<std::int64_t> counts_;
};

}  // namespace
}  // namespace firstsight

void register_ngrams(nb::module_& module) {
    using namespace firstsight;
    nb::class_<NGramIndex>(module, "NGramIndex")
        .def("__init__",
             [](NGramIndex* self, Vector<std::int32_t> ids, Vector<std::int64_t> offsets,
                Vector<std::int64_t> reference_offsets, std::int32_t n_words, int n_threads) {
                 const Corpus corpus(ids, offsets, reference_offsets, n_words);
                 nb::gil_scoped_release release;
                 new (self) NGramIndex(corpus, n_threads);
             },
             nb::arg("ids"), nb::arg("offsets"), nb::arg("reference_offsets"), nb::arg("n_words"), nb::arg("n_threads"))
        .def_prop_ro("document_frequencies", &frequencies_of, nb::rv_policy::reference_internal)
        .def("ngrams", &ngrams_of)
        .def("bleu_statistics", &bleu_statistics, nb::arg("n_threads"))
        .def("cider_statistics", &cider_statistics, nb::arg("counts"), nb::arg("n_images"), nb::arg("sigma").none(),
             nb::arg("scale"), nb::arg("n_threads"));
    nb::class_<NGramCounts>(module, "NGramCounts")
        .def(nb::init<NGramCounts::Rows, Vector<std::int64_t>>(), nb::arg("ngrams"), nb::arg("counts"))
        .def("of", &NGramCounts::of, nb::arg("index"), nb::arg("words"));
}
