//! Protobuf's wire format: numbered items, each a number or bytes.

/// One item of a message.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) number: u32,
    pub(super) payload: Payload<'a>,
}

/// What an item holds.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// A varint, or the bits of a fixed-size number.
    Number(u64),
    /// Text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
}

/// The items of a message; a damaged one yields `None` once and ends.
pub(super) fn items(mut bytes: &[u8]) -> impl Iterator<Item = Option<Item<'_>>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let item = next(&mut bytes);
        if item.is_none() {
            bytes = &[];
        }
        Some(item)
    })
}

/// Packed varints.
pub(super) fn varints(mut bytes: &[u8]) -> impl Iterator<Item = Option<u64>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let number = varint(&mut bytes);
        if number.is_none() {
            bytes = &[];
        }
        Some(number)
    })
}

fn next<'a>(bytes: &mut &'a [u8]) -> Option<Item<'a>> {
    let key = varint(bytes)?;
    let payload = match key & 7 {
        0 => Payload::Number(varint(bytes)?),
        1 => Payload::Number(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Payload::Bytes(take(bytes, length)?)
        }
        5 => Payload::Number(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?).into()),
        _ => return None,
    };
    Some(Item {
        number: u32::try_from(key >> 3).ok()?,
        payload,
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}
