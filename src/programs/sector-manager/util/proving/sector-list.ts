import { Bitfield } from '../../../../filecoin/bitfield.ts';
import { ADDRESSED_SECTORS_MAX } from '../../../../filecoin/policy.ts';
import { usage } from './usage.ts';

/** Reads `1,5,7-9`. @throws CodedError `usage` */
export function sectorList(text: unknown): Bitfield {
  if (typeof text !== 'string') throw usage('--sectors is missing: 1,5,7-9');
  const numbers = text.split(',').flatMap((part) => {
    const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part.trim());
    if (match === null) throw usage(`--sectors must be like 1,5,7-9; ${JSON.stringify(part)} is not`);
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first || last - first >= ADDRESSED_SECTORS_MAX) {
      throw usage(`--sectors: ${part} is not a range of at most ${ADDRESSED_SECTORS_MAX} sectors`);
    }
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return Bitfield.of(numbers);
}
