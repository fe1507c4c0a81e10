/** What reading a vendor's record gives, whoever the vendor is. Offsets are into the bytes that were given. */

export interface Range {
  readonly offset: number;
  readonly length: number;
}

export interface VendorRecord {
  /** Values that hold no others: something could begin where they do, as at the beginning of a value of the Data Set. */
  readonly values: readonly Range[];
  /** What no rule of the record explains: between its parts, and behind the last of them. In order, none of length 0. */
  readonly unexplained: readonly Range[];
}

/** What of `length` bytes lies in none of `parts`, which may overlap and come in any order. */
export function rangesBeside(parts: readonly Range[], length: number): Range[] {
  const beside: Range[] = [];
  let covered = 0;
  for (const { offset, length: size } of [...parts.toSorted((one, other) => one.offset - other.offset), { offset: length, length: 0 }]) {
    if (offset > covered) beside.push({ offset: covered, length: offset - covered });
    covered = Math.max(covered, offset + size);
  }
  return beside;
}

/** What lies behind the last part of a record that ends at `at`: one range or none. */
export function restFrom(at: number, length: number): readonly Range[] {
  return at < length ? [{ offset: at, length: length - at }] : [];
}
