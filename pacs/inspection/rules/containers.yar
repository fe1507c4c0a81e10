rule zip_container {
  meta:
    code = "container-content"
    place = "outside-documents"
    text = "an entry of a ZIP file, which holds other files"
  strings:
    $entry = { 50 4B 03 04 ( 0A | 14 | 15 | 1B | 2D | 2E | 32 | 33 | 3F ) ( 00 | 03 ) ?? ( 00 | 08 ) ( 00 | 08 | 09 | 0C | 0E | 5D | 5F | 62 ) 00 }
  condition:
    $entry
}

rule rar_container {
  meta:
    code = "container-content"
    place = "outside-documents"
    text = "the header of a RAR file, which holds other files"
  strings:
    $four = { 52 61 72 21 1A 07 00 [2] 73 }
    $five = { 52 61 72 21 1A 07 01 00 }
  condition:
    any of them
}

rule other_container {
  meta:
    code = "container-content"
    place = "outside-documents"
    text = "the header of a 7z, CAB or XZ file, which holds other files"
  strings:
    $seven = { 37 7A BC AF 27 1C 00 ( 02 | 03 | 04 ) }
    $cabinet = { 4D 53 43 46 00 00 00 00 [4] 00 00 00 00 }
    $xz = { FD 37 7A 58 5A 00 00 ( 00 | 01 | 04 | 0A ) }
  condition:
    any of them
}
