#include "scanner.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace firstsight {

namespace {

using std::string_view;

enum class Kind : std::uint8_t { other, gap, letter, digit };

constexpr std::array<Kind, 256> KINDS = [] {
    std::array<Kind, 256> table{};
    table[' '] = table['\n'] = Kind::gap;  // a line feed is a space
    for (int c = 'a'; c <= 'z'; ++c) table[c] = Kind::letter;
    for (int c = '0'; c <= '9'; ++c) table[c] = Kind::digit;
    return table;
}();

Kind kind(char c) { return KINDS[static_cast<unsigned char>(c)]; }
bool is_gap(char c) { return kind(c) == Kind::gap; }
bool is_letter(char c) { return kind(c) == Kind::letter; }
bool is_digit(char c) { return kind(c) == Kind::digit; }
bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
bool is_one_of(char c, string_view set) { return set.find(c) != string_view::npos; }
bool is_period_or_comma(char c) { return c == '.' || c == ','; }

const char* skip_alnum(const char* at) {
    while (is_alnum(*at)) ++at;
    return at;
}

const char* skip_digits(const char* at) {
    while (is_digit(*at)) ++at;
    return at;
}

string_view view(const char* start, const char* stop) { return {start, static_cast<std::size_t>(stop - start)}; }
bool all_letters(const char* start, const char* stop) { return std::all_of(start, stop, is_letter); }
bool has_three_digits(const char* at) { return is_digit(at[0]) && is_digit(at[1]) && is_digit(at[2]); }

// Where a word that needs a clear end may end: before white space, or before a period or comma and white space.
bool is_clear_end(const char* at) {
    return is_gap(*at) || *at == '"' || ((*at == '.' || *at == ',') && is_gap(at[1]));
}

// Marks that never join the word before them, whatever follows; they are read on their own.
bool ends_word(char c) { return is_gap(c) || is_one_of(c, ",;:\"()"); }

bool is_top_level_domain(const char* at) {
    const string_view name(at, 3);
    return name == "com" || name == "net" || name == "org" || name == "edu";
}

bool is_auxiliary(string_view text) {
    return text == "s" || text == "m" || text == "d" || text == "re" || text == "ve" || text == "ll";
}

// Length of the first of the two tokens that such a word makes; 0 for any other word.
std::size_t first_half(string_view word) {
    if (word.size() == 6) return word == "cannot" ? 3 : 0;
    if (word.size() != 5) return 0;
    const bool is_cut = word == "gonna" || word == "wanna" || word == "gotta" || word == "gimme" || word == "lemme";
    return is_cut ? 3 : 0;
}

// Words that may take an apostrophe at their end along.
bool may_end_in_apostrophe(string_view word) {
    return word.size() == 1 || word == "ol" || word == "dunkin" || word == "somethin";
}

}  // namespace

Abbreviations::Abbreviations(std::vector<std::string> kept, std::vector<std::string> unsure)
    : kept_(kept.begin(), kept.end()), unsure_(unsure.begin(), unsure.end()) {}

bool Scanner::scan(string_view caption) {
    tokens_.clear();
    run_end_ = nullptr;
    text_.resize(caption.size() + 1 + PADDING);
    text_[0] = ' ';
    char* text = text_.data() + 1;
    for (std::size_t i = 0; i < caption.size(); ++i) {
        const char c = caption[i];
        text[i] = static_cast<char>(c | (static_cast<unsigned char>(c - 'A') < 26 ? 0x20 : 0));
    }
    std::memset(text + caption.size(), ' ', PADDING);
    for (const char* at = begin(); at < end();) {
        at = is_gap(*at) ? at + 1 : next(at);
        if (at == nullptr) return false;
    }
    return true;
}

const char* Scanner::next(const char* at) {
    if (is_alnum(*at)) return word(at);
    switch (*at) {
        case '"': return at + 1;
        case ',': return is_digit(at[1]) ? nullptr : at + 1;
        case ':':
        case ';': return is_gap(at[1]) || at[1] == '"' ? at + 1 : nullptr;  // else a face, an address or a number
        case '.': return periods(at);
        case '!':
        case '?': return marks(at);
        case '-': return hyphens(at);
        case '\'': return apostrophe(at);
        case '<': return tag(at);
        default: return sign(at);
    }
}

void Scanner::add_plain(const char* start, const char* stop) {
    if (const std::size_t cut = first_half(view(start, stop))) {
        add(start, start + cut);
        start += cut;
    }
    add(start, stop);
}

const char* Scanner::word(const char* start) {
    // Digits after digits and a space may be a phone number.
    if (is_gap(start[-1]) && has_three_digits(start) && start - 1 > text_.data() && is_digit(start[-2])) return nullptr;
    const char* stop = skip_alnum(start);
    switch (*stop) {
        case '-':
            if (is_alnum(stop[1])) return hyphenated(start, stop);
            break;
        case '\'': return before_apostrophe(start, stop, true);
        case '.': return before_period(start, stop);
        case ',':
            if (is_joined_by_hyphen(start)) return nullptr;
            if (is_digit(stop[1])) return number(start, stop);
            break;
        case ':':
            if (is_digit(stop[1])) return number(start, stop);
            break;
        case '!':
        case '?':
            if (is_letter(stop[1])) return nullptr;  // WORD goes on
            break;
        case '/': return slashed(start, stop);
        case '%': break;
        default:
            if (!ends_word(*stop)) return nullptr;
    }
    add_plain(start, stop);
    return stop;
}

// HYPHENATED; no elision inside.
const char* Scanner::hyphenated(const char* start, const char* hyphen) {
    const char* stop = hyphen;
    const char* part = start;
    while (*stop == '-' && is_alnum(stop[1])) {
        part = stop + 1;
        if (is_digit(stop[-1]) && has_three_digits(part)) return nullptr;  // a phone number
        stop = skip_alnum(part);
    }
    switch (*stop) {
        case '-': break;
        case '\'': return stop - part < 2 ? nullptr : before_apostrophe(start, stop, false);
        case '!':
        case '?':
            if (is_letter(stop[1])) return nullptr;
            break;
        case '.':
            if (is_alnum(stop[1]) || is_one_of(stop[1], ",;:")) return nullptr;
            break;
        default:
            if (!ends_word(*stop)) return nullptr;
    }
    add(start, stop);
    return stop;
}

// NUMBER without a sign; `mark` stands before a digit.
const char* Scanner::number(const char* start, const char* mark) {
    const char* stop = skip_digits(start);
    if (stop != mark) return nullptr;
    while (is_one_of(*stop, ".,:") && is_digit(stop[1])) stop = skip_digits(stop + 1);
    const bool is_time = is_letter(*stop) && *mark == ':' && std::find_if(mark, stop, is_period_or_comma) == stop;
    const bool is_end = ends_word(*stop) || *stop == '%' || (*stop == '.' && !is_alnum(stop[1]));
    if (!(is_end || is_time) || (*stop == '.' && is_one_of(stop[1], ",;:"))) return nullptr;
    add(start, stop);
    return stop;
}

const char* Scanner::before_period(const char* start, const char* period) {
    const string_view text = view(start, period);
    if (is_joined_by_hyphen(start) || text == "www") return nullptr;
    const char after = period[1];
    if (is_digit(after)) return number(start, period);
    if (is_one_of(after, ",;:")) {  // the period belongs to the word
        add(start, period + 1);
        return period + 1;
    }
    if (!all_letters(start, period)) {
        if (is_letter(after)) return nullptr;
        add(start, period);
        return period;
    }
    if (period - start == 1) return initials(start);
    if (abbreviations_.is_unsure(text)) return nullptr;
    if (abbreviations_.keeps_period(text)) {
        if (is_letter(after)) return nullptr;
        add(start, period + 1);
        return period + 1;
    }
    if (is_letter(after)) return dotted(start, period);
    add_plain(start, period);
    return period;
}

// u.s. and the like: two letters or more, each with its period. A single letter loses its period at the end.
const char* Scanner::initials(const char* start) {
    const char* stop = start;
    while (is_letter(*stop) && stop[1] == '.') stop += 2;
    if (!is_gap(*stop)) return nullptr;
    if (stop - start == 2) {
        const bool is_last_word = start > begin() && is_gap(start[-1]) && std::all_of(stop, end(), is_gap);
        if (!is_last_word) return nullptr;
        --stop;
        add(start, stop);
        return stop;
    }
    add(start, stop);
    return stop;
}

// WORD with periods inside, such as a sentence that begins without a space.
const char* Scanner::dotted(const char* start, const char* period) {
    const char* stop = period;
    while (*stop == '.' && is_letter(stop[1])) {
        const char* part = stop + 1;
        stop = skip_alnum(part);
        const bool is_initial = stop - part == 1 && (*part == 'x' || *stop == '.');
        if (is_initial || !all_letters(part, stop) || is_top_level_domain(part)) return nullptr;
    }
    if (!is_clear_end(stop)) return nullptr;
    add(start, stop);
    return stop;
}

// SLASH_PART twice, without hyphens: and/or, 1/2. After digits and a space it may be part of a mixed number.
const char* Scanner::slashed(const char* start, const char* slash) {
    const char* stop = skip_alnum(slash + 1);
    if (stop == slash + 1) {
        add_plain(start, slash);
        return slash;
    }
    const bool is_mixed = is_digit(*start) && start - 1 > text_.data() && is_digit(start[-2]);
    if (is_mixed || !is_clear_end(stop)) return nullptr;
    add(start, stop);
    return stop;
}

// A word and what its apostrophe brings: it's, don't, dogs', o'clock.
const char* Scanner::before_apostrophe(const char* start, const char* apostrophe, bool is_whole_word) {
    const char* stop = skip_alnum(apostrophe + 1);
    const string_view before = view(start, apostrophe), after = view(apostrophe + 1, stop);
    const bool is_one_letter = before.size() == 1 && is_letter(*start);
    if (after.empty()) {
        if (is_whole_word && may_end_in_apostrophe(before)) return nullptr;
        is_whole_word ? add_plain(start, apostrophe) : add(start, apostrophe);
        return apostrophe;
    }
    if (is_auxiliary(after)) {
        if ((is_one_letter && *start != 'i') || before == "cont") return nullptr;
        add(start, apostrophe);
        add(apostrophe, stop);
        return stop;
    }
    if (!is_whole_word || !all_letters(start, apostrophe)) return nullptr;
    if (after == "t" && apostrophe[-1] == 'n') {
        if (is_one_letter) {
            add(start, stop);
            return stop;
        }
        if (apostrophe[-2] == 'n') return nullptr;
        add(start, apostrophe - 1);
        add(apostrophe - 1, stop);
        return stop;
    }
    return is_one_letter ? elided(start, stop) : nullptr;
}

// ELISION: o'clock, d'art.
const char* Scanner::elided(const char* start, const char* stop) {
    const bool is_elision = is_one_of(*start, "dol") && stop - start >= 4 && all_letters(start + 2, stop);
    if (!is_elision || !is_clear_end(stop)) return nullptr;
    add(start, stop);
    return stop;
}

// An apostrophe at the beginning of a token: a quote, or 's on its own.
const char* Scanner::apostrophe(const char* at) {
    if (is_gap(at[1]) || is_one_of(at[1], ",.!?;:\")-")) return at + 1;
    const char* stop = skip_alnum(at + 1);
    if (stop == at + 1 || !all_letters(at + 1, stop)) return nullptr;
    const string_view after = view(at + 1, stop);
    if (is_auxiliary(after)) {
        add(at, stop);
        return stop;
    }
    for (const string_view cut : {"em", "til", "cause", "tis", "twas"}) {
        if (after.starts_with(cut)) return nullptr;
    }
    return after == "n" ? nullptr : at + 1;
}

const char* Scanner::hyphens(const char* at) {
    const char* stop = at;
    while (*stop == '-') ++stop;
    if (stop - at > 4 || is_digit(*stop)) return nullptr;
    return stop - at == 1 && (*stop == 'l' || *stop == 'r') ? nullptr : stop;  // -lrb- is one token
}

const char* Scanner::periods(const char* at) {
    while (*at == '.') ++at;
    return is_digit(*at) || is_top_level_domain(at) ? nullptr : at;
}

const char* Scanner::marks(const char* at) {
    const char* stop = at;
    while (*stop == '!' || *stop == '?') ++stop;
    if (stop - at > 1) add(at, stop);
    return stop;
}

// <unk> and other tags of one name.
const char* Scanner::tag(const char* at) {
    const char* stop = skip_alnum(at + 1);
    if (*stop != '>' || stop == at + 1 || !all_letters(at + 1, stop)) return nullptr;
    add(at, stop + 1);
    return stop + 1;
}

const char* Scanner::sign(const char* at) {
    static constexpr char opening[] = "-lrb-\0\0\0\0\0\0\0", closing[] = "-rrb-\0\0\0\0\0\0\0";
    switch (*at) {
        case '(':
            // A face or a phone number may begin here.
            if (!is_gap(at[1]) && at[1] != '"' && (!is_letter(at[1]) || at[1] == 'x')) return nullptr;
            add(opening, opening + 5);
            return at + 1;
        case ')': add(closing, closing + 5); return at + 1;
        case '%':
        case '$': break;
        case '#':
            if (!is_gap(at[1]) && !is_digit(at[1])) return nullptr;
            break;
        case '/':
            if (is_alnum(at[1]) || is_gap(at[1])) break;
            return nullptr;
        case '&':
            if (!is_gap(at[-1]) || !is_gap(at[1])) return nullptr;
            break;
        default: return nullptr;
    }
    add(at, at + 1);
    return at + 1;
}

// Whether a run of letters, digits, periods and commas goes on behind a hyphen: then it may all be one token.
bool Scanner::is_joined_by_hyphen(const char* start) {
    if (run_end_ == nullptr || start >= run_end_) {
        run_end_ = start;
        while (is_alnum(*run_end_) || *run_end_ == '.' || *run_end_ == ',') ++run_end_;
        run_is_joined_ = *run_end_ == '-' && is_alnum(run_end_[1]);
    }
    return run_is_joined_;
}

}  // namespace firstsight
