/** Scheme and host of a URL, and the path where it is the usual one of a node; any other may be a key, as may a user's name. */
export function shownUrl(text: string): string {
  const { protocol, host, pathname, search } = new URL(text);
  const isUsual = /^\/?(?:rpc\/v\d)?$/.test(pathname) && search === '';
  return `${protocol}//${host}${isUsual ? pathname.replace(/\/$/, '') : '/…'}`;
}
