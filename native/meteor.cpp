// The alignment of METEOR 1.5: matches of words and phrases, the best path through them, and its counts.
//
// firstsight.metrics.meteor has the same in clear Python, with the definition and its source; here are only the means
// to be fast: words are numbers, phrases are nodes of a trie that lies in the memory-mapped index, and the paraphrases
// of each phrase are cut down once to those that occur in the corpus at all.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include "corpus.h"
#include "parallel.h"

namespace nb = nanobind;

namespace firstsight {
namespace {

constexpr std::size_t IMAGES_A_TASK = 32;
constexpr std::size_t CAPTIONS_A_TASK = 1024;
constexpr std::size_t N_MODULES = 4;
constexpr std::size_t N_STATISTICS = 24;
constexpr std::uint8_t EXACT = 0, STEM = 1, SYNONYM = 2, PARAPHRASE = 3;

// What is known of each distinct word of the corpus, by its number there.
struct Lexicon {
    Vector<std::int32_t> stems;           // equal numbers, equal stems
    Vector<std::uint8_t> is_function;     // 1 for a function word
    Vector<std::int64_t> synset_offsets;  // (n_words + 1)
    Vector<std::int32_t> synsets;         // ascending for each word
    Vector<std::int32_t> words;           // the id of the word in the index, or -1
    Vector<std::int32_t> nodes;           // the node of the word alone in the trie, or 0

    std::span<const std::int32_t> synsets_of(std::int32_t word) const {
        const auto* offsets = synset_offsets.data();
        return {synsets.data() + offsets[word], static_cast<std::size_t>(offsets[word + 1] - offsets[word])};
    }
};

// The phrases of the table, as metrics/meteor/index.py lays them out. A node is a phrase or the beginning of one, node 0
// the root; the children of a node stand one behind another, ascending by their last word. The index is checksummed
// when it is made and only its header when it is opened, so each number is checked before it is followed.
struct Trie {
    Vector<std::int32_t> words;              // (n_nodes): the id of the last word
    Vector<std::int32_t> child_offsets;      // (n_nodes + 1)
    Vector<std::int32_t> other_offsets;      // (n_nodes + 1)
    Vector<std::int32_t> others;             // paraphrases: nodes, in the order of the table

    std::size_t n_nodes() const { return words.shape(0); }

    // The node of the phrase with one word more, or 0.
    std::int32_t child(std::int32_t node, std::int32_t word) const {
        const std::int32_t* all = words.data();
        const auto [first, last] = range(child_offsets, node, n_nodes());
        const std::int32_t* found = std::lower_bound(all + first, all + last, word);
        return found != all + last && *found == word ? static_cast<std::int32_t>(found - all) : 0;
    }

    std::span<const std::int32_t> paraphrases_of(std::int32_t node) const {
        const auto [first, last] = range(other_offsets, node, others.shape(0));
        return {others.data() + first, last - first};
    }

    bool is_node(std::int32_t node) const { return node > 0 && static_cast<std::size_t>(node) < n_nodes(); }

  private:
    static std::pair<std::size_t, std::size_t> range(const Vector<std::int32_t>& offsets, std::int32_t node, std::size_t end) {
        const auto first = static_cast<std::size_t>(static_cast<std::uint32_t>(offsets.data()[node]));
        const auto last = static_cast<std::size_t>(static_cast<std::uint32_t>(offsets.data()[node + 1]));
        if (first > last || last > end) throw std::invalid_argument("the index of phrases is damaged");
        return {first, last};
    }
};

// A phrase of the table that stands in a caption.
struct Phrase {
    std::int32_t start, length;
    std::int32_t number;  // among the phrases of the corpus
};

// The phrases that occur in the corpus, by caption, and for each the paraphrases that occur in it too.
class CorpusPhrases {
  public:
    CorpusPhrases(const Corpus& corpus, const Lexicon& lexicon, const Trie& trie, int n_threads) {
        find(corpus, lexicon, trie, n_threads);
        number(trie);
        cut_down(trie, n_threads);
    }

    std::span<const Phrase> of_caption(std::size_t caption) const {
        const Run& run = runs_[caption / CAPTIONS_A_TASK];
        const std::size_t place = caption % CAPTIONS_A_TASK;
        return {run.phrases.data() + run.begins[place], run.begins[place + 1] - run.begins[place]};
    }

    std::span<const std::int32_t> paraphrases_of(std::int32_t number) const {
        return paraphrases_[static_cast<std::size_t>(number)];
    }

    std::size_t size() const { return nodes_.size(); }

  private:
    // The phrases of CAPTIONS_A_TASK captions, caption after caption; those of caption i of the run begin at begins[i].
    struct Run {
        std::vector<Phrase> phrases;
        std::vector<std::uint32_t> begins;
    };

    // Fill the runs with nodes in place of numbers: by caption, by start, shorter phrases first.
    void find(const Corpus& corpus, const Lexicon& lexicon, const Trie& trie, int n_threads) {
        runs_.resize((corpus.n_captions + CAPTIONS_A_TASK - 1) / CAPTIONS_A_TASK);
        share_runs(corpus.n_captions, CAPTIONS_A_TASK, n_threads, [&] {
            return [&, found = std::vector<Phrase>{}](std::size_t begin, std::size_t end) mutable {
                Run& run = runs_[begin / CAPTIONS_A_TASK];
                found.clear();
                run.begins.assign(1, 0);
                for (std::size_t caption = begin; caption < end; ++caption) {
                    find_in(corpus.words(caption), lexicon, trie, found);
                    run.begins.push_back(static_cast<std::uint32_t>(found.size()));
                }
                run.phrases.assign(found.begin(), found.end());
            };
        });
    }

    static void find_in(Words words, const Lexicon& lexicon, const Trie& trie, std::vector<Phrase>& into) {
        for (std::size_t start = 0; start < words.size(); ++start) {
            std::int32_t node = lexicon.nodes.data()[words[start]];
            for (std::size_t length = 1; node > 0; ++length) {
                into.push_back({static_cast<std::int32_t>(start), static_cast<std::int32_t>(length), node});
                if (start + length == words.size()) break;
                const std::int32_t next = lexicon.words.data()[words[start + length]];
                node = next < 0 ? 0 : trie.child(node, next);
            }
        }
    }

    // Number the nodes that occur, in place of the nodes themselves.
    void number(const Trie& trie) {
        numbers_.assign(trie.n_nodes(), -1);
        for (Run& run : runs_)
            for (Phrase& phrase : run.phrases) {
                std::int32_t& number = numbers_[static_cast<std::size_t>(phrase.number)];
                if (number < 0) {
                    number = static_cast<std::int32_t>(nodes_.size());
                    nodes_.push_back(phrase.number);
                }
                phrase.number = number;
            }
    }

    void cut_down(const Trie& trie, int n_threads) {
        paraphrases_.resize(nodes_.size());
        share_runs(nodes_.size(), CAPTIONS_A_TASK, n_threads, [&] {
            return [&](std::size_t begin, std::size_t end) {
                for (std::size_t i = begin; i < end; ++i)
                    for (const std::int32_t node : trie.paraphrases_of(nodes_[i]))
                        if (trie.is_node(node) && numbers_[static_cast<std::size_t>(node)] >= 0)
                            paraphrases_[i].push_back(numbers_[static_cast<std::size_t>(node)]);
            };
        });
        numbers_ = {};
    }

    std::vector<Run> runs_;
    std::vector<std::int32_t> nodes_;                     // by number
    std::vector<std::int32_t> numbers_;                   // by node, while the phrases are numbered
    std::vector<std::vector<std::int32_t>> paraphrases_;  // by number: numbers, in the order of the table
};

// Words `start` to `start + length` of the reference stand for words `match_start` to `match_start + match_length` of
// the candidate.
struct Match {
    std::int32_t start, length, match_start, match_length;
    std::uint8_t module;
};

// The matches of a candidate with one reference, listed by their first word in the reference.
class Matcher {
  public:
    Matcher(const Corpus& corpus, const Lexicon& lexicon, const CorpusPhrases& phrases)
        : corpus_(corpus), lexicon_(lexicon), phrases_(phrases), stamps_(phrases.size(), 0), firsts_(phrases.size(), 0) {}

    void find(std::size_t candidate, std::size_t reference) {
        const Words ours = corpus_.words(candidate), theirs = corpus_.words(reference);
        matches_.clear();
        coverage1.assign(ours.size(), 0);
        coverage2.assign(theirs.size(), 0);
        find_words(ours, theirs, [](std::int32_t a, std::int32_t b) { return a == b; }, EXACT);
        if (!std::ranges::equal(ours, theirs)) {
            const std::int32_t* stems = lexicon_.stems.data();
            find_words(ours, theirs, [&](auto a, auto b) { return a != b && stems[a] == stems[b]; }, STEM);
            find_synonyms(ours, theirs);
            find_paraphrases(candidate, reference);
        }
        list(theirs.size());
    }

    std::span<const Match> at(std::size_t start) const {
        return {listed_.data() + begins_[start], begins_[start + 1] - begins_[start]};
    }

    std::vector<std::int32_t> coverage1, coverage2;  // how many matches cover each word

  private:
    template <class Equal>
    void find_words(Words ours, Words theirs, Equal is_equal, std::uint8_t module) {
        for (std::size_t j = 0; j < theirs.size(); ++j)
            for (std::size_t i = 0; i < ours.size(); ++i)
                if (is_equal(ours[i], theirs[j])) add(j, 1, i, 1, module);
    }

    void find_synonyms(Words ours, Words theirs) {
        for (std::size_t j = 0; j < theirs.size(); ++j) {
            const auto sets = lexicon_.synsets_of(theirs[j]);
            if (sets.empty()) continue;
            for (std::size_t i = 0; i < ours.size(); ++i)
                if (ours[i] != theirs[j] && share_one(lexicon_.synsets_of(ours[i]), sets)) add(j, 1, i, 1, SYNONYM);
        }
    }

    static bool share_one(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
        for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
            if (a[i] == b[j]) return true;
            a[i] < b[j] ? ++i : ++j;
        }
        return false;
    }

    // First phrases of the reference with their paraphrases in the candidate, then the other way round.
    void find_paraphrases(std::size_t candidate, std::size_t reference) {
        const auto ours = phrases_.of_caption(candidate), theirs = phrases_.of_caption(reference);
        for_paraphrases(theirs, ours, [&](const Phrase& a, const Phrase& b) { add(a, b); });
        for_paraphrases(ours, theirs, [&](const Phrase& a, const Phrase& b) { add(b, a); });
    }

    // See each phrase of `from` with each place in `in` where one of its paraphrases stands.
    template <class See>
    void for_paraphrases(std::span<const Phrase> from, std::span<const Phrase> in, See see) {
        ++stamp_;
        next_.assign(in.size(), NONE);
        for (std::size_t place = in.size(); place-- > 0;) {  // backwards, so that chains ascend
            const auto number = static_cast<std::size_t>(in[place].number);
            if (stamps_[number] == stamp_) next_[place] = firsts_[number];
            stamps_[number] = stamp_;
            firsts_[number] = static_cast<std::uint32_t>(place);
        }
        for (const Phrase& phrase : from)
            for (const std::int32_t number : phrases_.paraphrases_of(phrase.number)) {
                const auto other = static_cast<std::size_t>(number);
                if (stamps_[other] != stamp_) continue;
                for (std::uint32_t place = firsts_[other]; place != NONE; place = next_[place]) see(phrase, in[place]);
            }
    }

    void add(const Phrase& theirs, const Phrase& ours) {
        add(static_cast<std::size_t>(theirs.start), theirs.length, static_cast<std::size_t>(ours.start), ours.length, PARAPHRASE);
    }

    void add(std::size_t start, std::int32_t length, std::size_t match_start, std::int32_t match_length, std::uint8_t module) {
        matches_.push_back({static_cast<std::int32_t>(start), length, static_cast<std::int32_t>(match_start), match_length, module});
        for (std::int32_t k = 0; k < length; ++k) ++coverage2[start + static_cast<std::size_t>(k)];
        for (std::int32_t k = 0; k < match_length; ++k) ++coverage1[match_start + static_cast<std::size_t>(k)];
    }

    // Sort the matches by start; those of one start keep the order in which they were found.
    void list(std::size_t n_theirs) {
        begins_.assign(n_theirs + 2, 0);
        for (const Match& match : matches_) ++begins_[static_cast<std::size_t>(match.start) + 2];
        for (std::size_t start = 2; start < begins_.size(); ++start) begins_[start] += begins_[start - 1];
        listed_.resize(matches_.size());
        for (const Match& match : matches_) listed_[begins_[static_cast<std::size_t>(match.start) + 1]++] = match;
    }

    static constexpr std::uint32_t NONE = UINT32_MAX;

    const Corpus& corpus_;
    const Lexicon& lexicon_;
    const CorpusPhrases& phrases_;
    std::vector<Match> matches_, listed_;
    std::vector<std::size_t> begins_;
    std::vector<std::uint64_t> stamps_;  // by phrase: the search that saw it last
    std::vector<std::uint32_t> firsts_;  // by phrase: its first place in that search
    std::vector<std::uint32_t> next_;    // by place: the next place of the same phrase
    std::uint64_t stamp_ = 0;
};

// The beam search over the words of the reference, quirks of the original included.
class Aligner {
  public:
    // Return the chosen matches by their first word in the reference; null where none begins.
    const std::vector<const Match*>& align(const Matcher& matcher, std::size_t n_ours, std::size_t n_theirs) {
        n_theirs_ = n_theirs;
        words1_ = (n_ours + BITS - 1) / BITS;
        words2_ = (n_theirs + BITS - 1) / BITS;
        arena_.clear();
        steps_.clear();
        begin(matcher);
        for (std::size_t current = 0; current <= n_theirs; ++current) advance(matcher, current);
        sort(paths_);
        chosen_.assign(fixed_.begin(), fixed_.end());
        for (std::int32_t step = paths_.front().step; step >= 0; step = steps_[static_cast<std::size_t>(step)].before)
            chosen_[static_cast<std::size_t>(steps_[static_cast<std::size_t>(step)].match->start)] = steps_[static_cast<std::size_t>(step)].match;
        return chosen_;
    }

  private:
    static constexpr std::size_t BEAM = 40, BITS = 64;

    struct Path {
        std::int32_t matches = 0, chunks = 0, distance = 0, index = 0, last_end = -1;
        std::int32_t step = -1;  // the last match that was chosen, in steps_
        std::uint32_t used = 0;  // where the bits of the used words of candidate and reference begin in arena_
    };
    struct Step {
        const Match* match;
        std::int32_t before;
    };

    // Matches that no other match touches are fixed.
    void begin(const Matcher& matcher) {
        fixed_.assign(n_theirs_, nullptr);
        arena_.assign(words1_ + words2_, 0);
        for (std::size_t j = 0; j < n_theirs_; ++j) {
            const auto matches = matcher.at(j);
            if (matches.size() != 1 || !is_alone(matcher, matches[0])) continue;
            fixed_[j] = &matches[0];
            use(0, matches[0]);
        }
        paths_.assign(1, Path{});
    }

    static bool is_alone(const Matcher& matcher, const Match& match) {
        for (std::int32_t k = 0; k < match.length; ++k)
            if (matcher.coverage2[static_cast<std::size_t>(match.start + k)] != 1) return false;
        for (std::int32_t k = 0; k < match.match_length; ++k)
            if (matcher.coverage1[static_cast<std::size_t>(match.match_start + k)] != 1) return false;
        return true;
    }

    void advance(const Matcher& matcher, std::size_t current) {
        sort(paths_);
        if (paths_.size() > BEAM) paths_.resize(BEAM);
        next_.clear();
        for (Path& path : paths_) {
            if (current == n_theirs_) {
                path.chunks += path.last_end != -1;
                next_.push_back(path);
            } else if (is_used(path.used, words1_, current)) {
                pass_used(path, current);
            } else {
                branch(matcher, path, current);
            }
        }
        if (next_.empty()) next_.push_back(paths_.front());
        std::swap(paths_, next_);
    }

    void pass_used(Path& path, std::size_t current) {
        if (static_cast<std::int32_t>(current) >= path.index) {
            const Match* match = fixed_[static_cast<std::size_t>(path.index)];
            if (match == nullptr) return;
            take(path, *match);
            path.distance += std::abs(match->start - match->match_start);
        }
        next_.push_back(path);
    }

    void branch(const Matcher& matcher, Path& path, std::size_t current) {
        for (const Match& match : matcher.at(current)) {
            if (is_in_use(path.used, match)) continue;
            Path longer = path;
            longer.used = static_cast<std::uint32_t>(arena_.size());
            arena_.resize(arena_.size() + words1_ + words2_);
            std::copy_n(arena_.begin() + path.used, words1_ + words2_, arena_.begin() + longer.used);
            use(longer.used, match);
            take(longer, match);
            steps_.push_back({&match, path.step});
            longer.step = static_cast<std::int32_t>(steps_.size()) - 1;
            // The original adds the distance to the path that is left behind.
            path.distance += std::abs(match.start - match.match_start);
            next_.push_back(longer);
        }
        path.chunks += path.last_end != -1;
        path.last_end = -1;
        ++path.index;
        next_.push_back(path);
    }

    // Matches that are not exact weigh a half, and each sum is cut to a whole number.
    static void take(Path& path, const Match& match) {
        const int share = match.module == EXACT ? 1 : 2;
        path.matches += match.match_length / share + match.length / share;
        path.chunks += path.last_end != -1 && match.match_start != path.last_end;
        path.index = match.start + match.length;
        path.last_end = match.match_start + match.match_length;
    }

    void use(std::uint32_t used, const Match& match) {
        for (std::int32_t k = 0; k < match.match_length; ++k) set(used, 0, static_cast<std::size_t>(match.match_start + k));
        for (std::int32_t k = 0; k < match.length; ++k) set(used, words1_, static_cast<std::size_t>(match.start + k));
    }

    bool is_in_use(std::uint32_t used, const Match& match) const {
        for (std::int32_t k = 0; k < match.length; ++k)
            if (is_used(used, words1_, static_cast<std::size_t>(match.start + k))) return true;
        for (std::int32_t k = 0; k < match.match_length; ++k)
            if (is_used(used, 0, static_cast<std::size_t>(match.match_start + k))) return true;
        return false;
    }

    void set(std::uint32_t used, std::size_t side, std::size_t word) {
        arena_[used + side + word / BITS] |= std::uint64_t{1} << word % BITS;
    }

    bool is_used(std::uint32_t used, std::size_t side, std::size_t word) const {
        return (arena_[used + side + word / BITS] >> word % BITS) & 1;
    }

    static void sort(std::vector<Path>& paths) {
        if (paths.size() < 2) return;
        std::ranges::stable_sort(paths, [](const Path& a, const Path& b) {
            if (a.matches != b.matches) return a.matches > b.matches;
            if (a.chunks != b.chunks) return a.chunks < b.chunks;
            return a.distance < b.distance;
        });
    }

    std::size_t n_theirs_ = 0, words1_ = 0, words2_ = 0;  // bits in machine words: of the candidate, of the reference
    std::vector<Path> paths_, next_;
    std::vector<Step> steps_;
    std::vector<std::uint64_t> arena_;
    std::vector<const Match*> fixed_, chosen_;
};

struct Weights {
    double alpha, beta, gamma, delta;
    std::array<double, N_MODULES> modules;
};

// Places of the counts in a row, as metrics/meteor/score.py describes it; those of module m are four from COUNTS + 4 m: content words of candidate and
// reference, function words of candidate and reference.
constexpr std::size_t LENGTH = 0, FUNCTION = 2, COUNTS = 4, CHUNKS = 20, MATCHED = 21, PENALISED_CHUNKS = 23;
using Statistics = std::array<double, N_STATISTICS>;

double ratio_of(const Statistics& row, const Weights& weights, std::size_t side) {
    double matched = 0.0;
    for (std::size_t m = 0; m < N_MODULES; ++m) matched += row[COUNTS + 4 * m + side] * weights.modules[m] * weights.delta;
    for (std::size_t m = 0; m < N_MODULES; ++m)
        matched += row[COUNTS + 4 * m + 2 + side] * weights.modules[m] * (1.0 - weights.delta);
    const double content = row[LENGTH + side] - row[FUNCTION + side];
    return matched / (weights.delta * content + (1.0 - weights.delta) * row[FUNCTION + side]);
}

double score_of(const Statistics& row, const Weights& weights) {
    const double precision = ratio_of(row, weights, 0), recall = ratio_of(row, weights, 1);
    const double mean = 1.0 / ((1.0 - weights.alpha) / precision + weights.alpha / recall);
    const double fragmentation = row[PENALISED_CHUNKS] / ((row[MATCHED] + row[MATCHED + 1]) / 2.0);
    const double score = mean * (1.0 - weights.gamma * std::pow(fragmentation, weights.beta));
    return std::isnan(score) ? 0.0 : std::max(score, 0.0);
}

class MeteorWorker {
  public:
    MeteorWorker(const Corpus& corpus, const Lexicon& lexicon, const CorpusPhrases& phrases, const Weights& weights)
        : corpus_(corpus), lexicon_(lexicon), weights_(weights), matcher_(corpus, lexicon, phrases) {}

    // Write the counts of the reference that scores best, the first of several.
    void operator()(std::size_t image, double* row) {
        double best = -1.0;
        for (std::size_t r = corpus_.first_reference(image); r < corpus_.first_reference(image + 1); ++r) {
            const Statistics counts = count(image, r);
            const double score = score_of(counts, weights_);
            if (score <= best) continue;
            best = score;
            std::ranges::copy(counts, row);
        }
    }

  private:
    Statistics count(std::size_t candidate, std::size_t reference) {
        const Words ours = corpus_.words(candidate), theirs = corpus_.words(reference);
        matcher_.find(candidate, reference);
        const auto& chosen = aligner_.align(matcher_, ours.size(), theirs.size());
        Statistics row{};
        row[LENGTH] = static_cast<double>(ours.size());
        row[LENGTH + 1] = static_cast<double>(theirs.size());
        row[FUNCTION] = n_function_words(ours);
        row[FUNCTION + 1] = n_function_words(theirs);
        std::int32_t last_end = -1;
        for (std::size_t j = 0; j < theirs.size();) {
            const Match* match = chosen[j];
            if (match == nullptr) {
                row[CHUNKS] += last_end != -1;
                last_end = -1;
                ++j;
                continue;
            }
            add(row, *match, ours, theirs);
            row[CHUNKS] += last_end != -1 && match->match_start != last_end;
            last_end = match->match_start + match->match_length;
            j = static_cast<std::size_t>(match->start + match->length);
        }
        row[CHUNKS] += last_end != -1;
        const bool is_whole = row[CHUNKS] == 1.0 && row[MATCHED] == row[LENGTH] && row[MATCHED + 1] == row[LENGTH + 1];
        row[PENALISED_CHUNKS] = is_whole ? 0.0 : row[CHUNKS];
        return row;
    }

    void add(Statistics& row, const Match& match, Words ours, Words theirs) const {
        const std::size_t place = COUNTS + 4 * match.module;
        const auto our_words = ours.subspan(static_cast<std::size_t>(match.match_start), static_cast<std::size_t>(match.match_length));
        const auto their_words = theirs.subspan(static_cast<std::size_t>(match.start), static_cast<std::size_t>(match.length));
        const double our_functions = n_function_words(our_words), their_functions = n_function_words(their_words);
        row[place] += match.match_length - our_functions;
        row[place + 1] += match.length - their_functions;
        row[place + 2] += our_functions;
        row[place + 3] += their_functions;
        row[MATCHED] += match.match_length;
        row[MATCHED + 1] += match.length;
    }

    double n_function_words(Words words) const {
        const std::uint8_t* is_function = lexicon_.is_function.data();
        return static_cast<double>(std::ranges::count_if(words, [&](std::int32_t word) { return is_function[word] != 0; }));
    }

    const Corpus& corpus_;
    const Lexicon& lexicon_;
    const Weights& weights_;
    Matcher matcher_;
    Aligner aligner_;
};

void require(bool is_so, const char* otherwise) {
    if (!is_so) throw std::invalid_argument(otherwise);
}

void check(const Lexicon& lexicon, const Trie& trie) {
    const std::size_t n_words = lexicon.stems.shape(0), n_nodes = trie.n_nodes();
    require(lexicon.is_function.shape(0) == n_words && lexicon.words.shape(0) == n_words &&
                lexicon.nodes.shape(0) == n_words && lexicon.synset_offsets.shape(0) == n_words + 1,
            "the arrays of words have several lengths");
    require(lexicon.synset_offsets.data()[0] == 0, "synsets do not begin at 0");
    for (std::size_t i = 0; i < n_words; ++i) {
        require(lexicon.synset_offsets.data()[i] <= lexicon.synset_offsets.data()[i + 1], "synsets do not ascend");
        require(lexicon.nodes.data()[i] == 0 || trie.is_node(lexicon.nodes.data()[i]), "a word has no node");
    }
    require(lexicon.synset_offsets.data()[n_words] == static_cast<std::int64_t>(lexicon.synsets.shape(0)), "synsets end early");
    require(trie.child_offsets.shape(0) == n_nodes + 1 && trie.other_offsets.shape(0) == n_nodes + 1,
            "the arrays of phrases have several lengths");
}

auto meteor_statistics(Vector<std::int32_t> ids, Vector<std::int64_t> offsets, Vector<std::int64_t> reference_offsets,
                       const Lexicon& lexicon, const Trie& trie, const std::array<double, 4>& parameters,
                       const std::array<double, N_MODULES>& module_weights, int n_threads) {
    check(lexicon, trie);
    const Corpus corpus(ids, offsets, reference_offsets, static_cast<std::int32_t>(lexicon.stems.shape(0)));
    const Weights weights{parameters[0], parameters[1], parameters[2], parameters[3], module_weights};
    auto rows = std::make_unique_for_overwrite<double[]>(corpus.n_images * N_STATISTICS);
    {
        nb::gil_scoped_release release;
        const CorpusPhrases phrases(corpus, lexicon, trie, n_threads);
        share_runs(corpus.n_images, IMAGES_A_TASK, n_threads, [&] {
            return [&, worker = MeteorWorker(corpus, lexicon, phrases, weights)](std::size_t begin, std::size_t end) mutable {
                for (std::size_t image = begin; image < end; ++image) worker(image, &rows[image * N_STATISTICS]);
            };
        });
    }
    return to_numpy(rows.release(), {corpus.n_images, N_STATISTICS});
}

}  // namespace
}  // namespace firstsight

void register_meteor(nb::module_& module) {
    using firstsight::Lexicon, firstsight::Trie, firstsight::Vector;
    nb::class_<Lexicon>(module, "MeteorLexicon")
        .def("__init__",
             [](Lexicon* self, Vector<std::int32_t> stems, Vector<std::uint8_t> is_function,
                Vector<std::int64_t> synset_offsets, Vector<std::int32_t> synsets, Vector<std::int32_t> words,
                Vector<std::int32_t> nodes) {
                 new (self) Lexicon{stems, is_function, synset_offsets, synsets, words, nodes};
             },
             nb::arg("stems"), nb::arg("is_function"), nb::arg("synset_offsets"), nb::arg("synsets"), nb::arg("words"),
             nb::arg("nodes"));
    nb::class_<Trie>(module, "MeteorTrie")
        .def("__init__",
             [](Trie* self, Vector<std::int32_t> words, Vector<std::int32_t> child_offsets,
                Vector<std::int32_t> other_offsets, Vector<std::int32_t> others) {
                 new (self) Trie{words, child_offsets, other_offsets, others};
             },
             nb::arg("words"), nb::arg("child_offsets"), nb::arg("other_offsets"), nb::arg("others"));
    module.def("meteor_statistics", &firstsight::meteor_statistics, nb::arg("ids"), nb::arg("offsets"),
               nb::arg("reference_offsets"), nb::arg("lexicon"), nb::arg("trie"), nb::arg("parameters"),
               nb::arg("module_weights"), nb::arg("n_threads"));
}
