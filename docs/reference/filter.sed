# What Doxygen reads instead of a header. The lines keep their numbers.

# It does not know `namespace a::inline b`, whose second name no program spells anyway,
s/^namespace hubbub::inline v0/namespace hubbub/

# nor specialisations of std::hash outside of std.
/^template <>$/{
    N
    /std::hash/{
        :more
        N
        /\n};$/!bmore
        s/[^\n]//g
    }
}

# Threading: and the like begin a line of their own.
s|^\( *///\) \(Threading\|Threading and lifetime\|Lifetime\|Errors\|Cost\|Example\):|\1 <br>**\2:**|
