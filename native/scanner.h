// Cuts a caption into PTB tokens where the outcome is certain without trying the rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace firstsight {

// Words that a period may belong to, in lower case; both lists come from the rules in Python.
class Abbreviations {
  public:
    // `kept`: before a period and white space the token is the word with its period, whatever the letter case.
    // `unsure`: whether the period belongs to the word depends on more; such captions are left to the rules.
    Abbreviations(std::vector<std::string> kept, std::vector<std::string> unsure);

    bool keeps_period(std::string_view word) const { return has(kept_, word); }
    bool is_unsure(std::string_view word) const { return has(unsure_, word); }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Set = std::unordered_set<std::string, Hash, std::equal_to<>>;

    static bool has(const Set& words, std::string_view word) { return words.find(word) != words.end(); }

    Set kept_;
    Set unsure_;
};

// One caption at a time. Every method that reads a token returns where the text goes on, or nullptr where the outcome
// is not certain; then the whole caption is left to the rules. The name of a rule is that in _ptb_rules.py.
class Scanner {
  public:
    explicit Scanner(const Abbreviations& abbreviations) : abbreviations_(abbreviations) {}

    // Reads an ASCII caption; false where it is left to the rules.
    bool scan(std::string_view caption);

    // The tokens of the caption that was read last, without punctuation; valid until the next one is read. Eight bytes
    // behind each token may be read.
    const std::vector<std::string_view>& tokens() const { return tokens_; }

  private:
    static constexpr std::size_t PADDING = 8;  // bytes behind the caption that may be read

    const char* next(const char* at);
    const char* word(const char* start);
    const char* hyphenated(const char* start, const char* hyphen);
    const char* number(const char* start, const char* mark);
    const char* before_period(const char* start, const char* period);
    const char* initials(const char* start);
    const char* dotted(const char* start, const char* period);
    const char* slashed(const char* start, const char* slash);
    const char* before_apostrophe(const char* start, const char* apostrophe, bool is_whole_word);
    const char* elided(const char* start, const char* stop);
    const char* apostrophe(const char* at);
    const char* hyphens(const char* at);
    const char* periods(const char* at);
    const char* marks(const char* at);
    const char* tag(const char* at);
    const char* sign(const char* at);
    bool is_joined_by_hyphen(const char* start);

    const char* begin() const { return text_.data() + 1; }
    const char* end() const { return text_.data() + text_.size() - PADDING; }
    void add(const char* start, const char* stop) { tokens_.emplace_back(start, stop - start); }
    void add_plain(const char* start, const char* stop);

    const Abbreviations& abbreviations_;
    std::string text_;  // the caption in lower case between white space
    std::vector<std::string_view> tokens_;
    const char* run_end_ = nullptr;  // end of the run of letters, digits, periods and commas that was looked at last
    bool run_is_joined_ = false;
};

}  // namespace firstsight
