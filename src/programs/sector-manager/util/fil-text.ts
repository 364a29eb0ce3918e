const FIL = 10n ** 18n;

/** `1.25 FIL` of attoFIL, to a millionth. */
export function filText(attoFil: bigint): string {
  const sign = attoFil < 0n ? '-' : '';
  const amount = attoFil < 0n ? -attoFil : attoFil;
  const millionths = ((amount % FIL) / 10n ** 12n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${amount / FIL}${millionths === '' ? '' : `.${millionths}`} FIL`;
}
