/** attoFIL a message may cost at most. Lotus' default for window PoSt; left out, a node caps it at 0.07 FIL. */
export const POST_MAX_FEE = 5n * 10n ** 18n;
