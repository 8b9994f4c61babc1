#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

namespace hubbub::inline v0 {

/// A time as RFC 3339 writes it, in UTC and with milliseconds: `2026-11-24T18:02:25.123Z`. Browsers read it with `new Date(text)`.
///
/// What is before the year 0 or after 9999 becomes the nearest time that has four digits for its year.
inline std::string rfc3339(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    // As wide as sys_days: the clock's own type counts nanoseconds, which end in 2262.
    using Milliseconds = sys_time<milliseconds>;
    constexpr Milliseconds first = sys_days(year(0) / January / 1);
    constexpr Milliseconds last = Milliseconds(sys_days(year(9999) / December / 31)) + days(1) - milliseconds(1);
    Milliseconds const moment = std::clamp(floor<milliseconds>(time), first, last);
    sys_days const midnight = floor<days>(moment);
    year_month_day const date(midnight);
    hh_mm_ss const clock(moment - midnight);

    std::string text = "0000-00-00T00:00:00.000Z";
    auto const put = [&text](std::size_t at, std::size_t digits, auto value) {
        auto left = static_cast<unsigned long long>(value);
        for (std::size_t place = at + digits; place-- > at; left /= 10) text[place] = static_cast<char>('0' + left % 10);
    };
    put(0, 4, static_cast<int>(date.year()));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, clock.hours().count());
    put(14, 2, clock.minutes().count());
    put(17, 2, clock.seconds().count());
    put(20, 3, clock.subseconds().count());
    return text;
}

}  // namespace hubbub::inline v0
