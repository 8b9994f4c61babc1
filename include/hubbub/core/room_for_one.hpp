#pragma once

namespace hubbub::inline v0 {

/// The next `push_back` cannot fail. Where there is no memory it throws, and nothing has changed.
///
/// Cost: as that of `push_back`, which doubles too.
template <class Vector>
void make_room_for_one(Vector& vector) {
    if (vector.size() == vector.capacity()) vector.reserve(2 * vector.size() + 1);
}

}  // namespace hubbub::inline v0
