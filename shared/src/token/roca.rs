//! Moduli of a library that chose its primes badly (ROCA, CVE-2017-15361).
//!
//! Each of its primes is a power of 65,537 modulo every small prime, and so is
//! their product. Such a key can be factored, so it proves nothing.
//! <https://crocs.fi.muni.cz/public/papers/rsa_ccs17>

/// The last of the 126 small primes that keys of 2,048 bits and more were made
/// with. All of them together mistake one good key in 2^167.
const LARGEST: u32 = 701;

/// Whether a modulus, big-endian, bears the mark. Cheap enough to ask once for
/// each key of a set.
pub(super) fn has_mark(modulus: &[u8]) -> bool {
    (3..=LARGEST).step_by(2).filter(|number| is_prime(*number)).all(|prime| is_power(remainder(modulus, prime), prime))
}

fn is_prime(number: u32) -> bool {
    (2..number).take_while(|divisor| divisor * divisor <= number).all(|divisor| !number.is_multiple_of(divisor))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
}

/// Whether a number is one of the powers of 65,537, which come round to 1.
fn is_power(number: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == number {
            return true;
        }
        power = power * 65_537 % prime;
        if power <= 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_primes_and_the_powers_in_them() {
        let primes: Vec<u32> = (2..30).filter(|number| is_prime(*number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(is_prime(701) && !is_prime(697), "17 * 41");
        assert_eq!((2..=701).filter(|number| is_prime(*number)).count(), 126);
        // 65,537 is 10 modulo 11, and 10 * 10 is 1.
        let powers: Vec<u32> = (0..11).filter(|number| is_power(*number, 11)).collect();
        assert_eq!(powers, [1, 10]);
        // 65,537 is 3 modulo 7: every number but 0.
        assert_eq!((0..7).filter(|number| is_power(*number, 7)).count(), 6);
        // 65,537 is 2 modulo 3.
        assert_eq!((0..3).filter(|number| is_power(*number, 3)).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((remainder(&[1, 0, 1], 65_537), remainder(&[1, 0, 2], 7), remainder(&[], 7)), (0, 4, 0));
    }
}
