//! Which characters make up a name.
//!
//! The language takes the properties `ID_Start` and `ID_Continue`. The tables at hand are of their
//! `X` variants, which leave out the few characters that change when a text is normalised to NFKC.

/// Whether a name may start with this character.
pub(crate) fn starts_identifier(c: char) -> bool {
    c == '_'
        || unicode_ident::is_xid_start(c)
        || LEFT_OUT_OF_START.iter().any(|range| range.contains(&c))
}

/// Whether a name may go on with this character.
pub(crate) fn continues_identifier(c: char) -> bool {
    c == '-'
        || unicode_ident::is_xid_continue(c)
        || LEFT_OUT_OF_CONTINUE.iter().any(|range| range.contains(&c))
}

type Ranges = [std::ops::RangeInclusive<char>];

/// `ID_Start` without `XID_Start`. Source: Unicode Standard Annex 31, `DerivedCoreProperties`.
const LEFT_OUT_OF_START: &Ranges = &[
    '\u{37a}'..='\u{37a}',
    '\u{e33}'..='\u{e33}',
    '\u{eb3}'..='\u{eb3}',
    '\u{309b}'..='\u{309c}',
    '\u{fc5e}'..='\u{fc63}',
    '\u{fdfa}'..='\u{fdfb}',
    '\u{fe70}'..='\u{fe70}',
    '\u{fe72}'..='\u{fe72}',
    '\u{fe74}'..='\u{fe74}',
    '\u{fe76}'..='\u{fe76}',
    '\u{fe78}'..='\u{fe78}',
    '\u{fe7a}'..='\u{fe7a}',
    '\u{fe7c}'..='\u{fe7c}',
    '\u{fe7e}'..='\u{fe7e}',
    '\u{ff9e}'..='\u{ff9f}',
];

/// `ID_Continue` without `XID_Continue`.
const LEFT_OUT_OF_CONTINUE: &Ranges = &[
    '\u{37a}'..='\u{37a}',
    '\u{309b}'..='\u{309c}',
    '\u{fc5e}'..='\u{fc63}',
    '\u{fdfa}'..='\u{fdfb}',
    '\u{fe70}'..='\u{fe70}',
    '\u{fe72}'..='\u{fe72}',
    '\u{fe74}'..='\u{fe74}',
    '\u{fe76}'..='\u{fe76}',
    '\u{fe78}'..='\u{fe78}',
    '\u{fe7a}'..='\u{fe7a}',
    '\u{fe7c}'..='\u{fe7c}',
    '\u{fe7e}'..='\u{fe7e}',
];
