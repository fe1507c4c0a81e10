/** A QR code as an SVG drawing: nothing is fetched, nothing is inline that the policy forbids. */
import qrcode from 'qrcode-generator';

/** Light modules around it that readers need (ISO/IEC 18004). */
const quiet = 4;

export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) if (code.isDark(row, column)) path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
  }
  const side = count + 2 * quiet;
  return (
    <svg viewBox={`0 0 ${side} ${side}`} width="132" height="132" role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={side} height={side} fill="#fff" /><path d={path} fill="#000" />
    </svg>
  );
}
