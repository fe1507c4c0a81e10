rule zip_container {
  meta:
    code = "container-content"
    place = "outside-documents"
    text = "an entry of a ZIP file, which holds other files"
  strings:
    $entry = { 50 4B 03 04 ( 0A | 14 | 15 | 1B | 2D | 2E | 32 | 33 | 3F ) ( 00 | 03 ) ?? ( 00 | 08 ) ( 00 | 08 | 09 | 0C | 0E | 5D | 5F | 62 | 63 ) 00 }
    // The directory, which is all that a reader needs to find the entries.
    $directory = { 50 4B 01 02 ?? ?? ( 0A | 14 | 15 | 1B | 2D | 2E | 32 | 33 | 3F ) ( 00 | 03 ) ?? ( 00 | 08 ) ( 00 | 08 | 09 | 0C | 0E | 5D | 5F | 62 | 63 ) 00 }
    // Readers go by neither version nor system: by the method, and a name of less than 4 KiB.
    $any = { 50 4B 03 04 [4] ( 00 | 01 | 06 | 08 | 09 | 0A | 0C | 0E | 13 | 14 | 5D | 5E | 5F | 61 | 62 | 63 ) 00 [16] ?? 0? }
    $listed = { 50 4B 01 02 [6] ( 00 | 01 | 06 | 08 | 09 | 0A | 0C | 0E | 13 | 14 | 5D | 5E | 5F | 61 | 62 | 63 ) 00 [16] ?? 0? }
  condition:
    any of them
}

rule rar_container {
  meta:
    code = "container-content"
    place = "anywhere"
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
    place = "anywhere"
    text = "the header of a container (7z, CAB, XZ, LZMA, lzip, lzop, bzip2, tar, WIM, LZH, ACE, ARJ, ar, xar, uuencode), which holds other files"
  strings:
    $seven = { 37 7A BC AF 27 1C 00 ( 02 | 03 | 04 ) }
    $cabinet = { 4D 53 43 46 00 00 00 00 [4] 00 00 00 00 }
    $xz = { FD 37 7A 58 5A 00 00 ( 00 | 01 | 04 | 0A ) }
    // Streams of a length that is not said, as writers make them.
    $lzma = { 5D 00 00 ?? ?? FF FF FF FF FF FF FF FF 00 }
    $lzip = { 4C 5A 49 50 01 ?? 00 }
    $bzip = { 42 5A 68 ( 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38 | 39 ) 31 41 59 26 53 59 }
    $tar = { 75 73 74 61 72 ( 00 30 30 | 20 20 00 ) }
    $image = { 4D 53 57 49 4D 00 00 00 ( D0 | 94 ) 00 00 00 }
    $lzh = { 2D 6C 68 ( 30 | 34 | 35 | 36 | 37 | 64 ) 2D [12] ( 20 | 00 ) ( 00 | 01 | 02 ) }
    $ace = { 2A 2A 41 43 45 2A 2A ( 0A | 14 ) }
    $lzop = { 89 4C 5A 4F 00 0D 0A 1A 0A }
    $expand = { 53 5A 44 44 88 F0 27 33 }
    $expand2 = { 4B 57 41 4A 88 F0 27 D1 }
    $xar = { 78 61 72 21 00 1C 00 01 }
    // Host, flags and version may be any; the first header is of kind 2.
    $arj = { 60 EA ?? 0? ( 1E | 22 | 2E ) ?? ( 01 | 02 ) 0? ?? 0? 02 }
    $ar = { 21 3C 61 72 63 68 3E 0A }
    $zpaq = { 37 6B 53 74 A0 31 83 D3 8C B2 28 B0 D3 }
    $snappy = { FF 06 00 00 73 4E 61 50 70 59 }
    $pbzx = { 70 62 7A 78 00 00 00 00 }
    $egg = { 45 47 47 41 00 01 }
    $tnef = { 78 9F 3E 22 [2] 01 06 90 08 00 04 00 00 00 }
    $encoded = /begin(-base64)? [0-7]{3,4} [ -~]{1,80}\r?\n(M[!-`]{60}|[A-Za-z0-9+\/=]{20,80})\r?\n/
    $encoded2 = /=ybegin (part=[0-9]{1,6} )?(total=[0-9]{1,6} )?line=[0-9]{1,4} size=/
    $encoded3 = /\(This file must be converted[ ]with BinHex/
    $cpio = /0707(01|02|07)[0-9A-Fa-f]{96}/
  condition:
    any of them
}

rule disk_image {
  meta:
    code = "container-content"
    place = "anywhere"
    text = "the image of a disk, which holds files that no mark of the web follows"
  strings:
    $iso = { 01 43 44 30 30 31 01 00 }
    $udf = { 00 4E 53 52 30 ( 32 | 33 ) 01 00 }
    $vhd = { 63 6F 6E 65 63 74 69 78 00 00 00 ( 00 | 01 | 02 | 03 ) 00 01 00 00 }
    $vhdx = "vhdxfile"
    $vmdk = { 4B 44 4D 56 ( 01 | 02 | 03 ) 00 00 00 [4] ?? ?? ?? 00 00 }
    $qcow = { 51 46 49 FB 00 00 00 ( 02 | 03 ) }
    $vdi = { 7F 10 DA BE ( 00 | 01 ) 00 01 00 }
    $squash = { 68 73 71 73 [24] 04 00 00 00 }
    $cram = /Compressed[ ]ROMFS/
    $rom = /-rom1[f]s-/
    $ntfs = { EB 52 90 4E 54 46 53 20 20 20 20 }
    $fat = { EB ( 3C | 58 | 76 ) 90 [51] 46 41 54 31 ( 32 | 36 ) }
    $fat32 = { EB ( 3C | 58 | 76 ) 90 [79] 46 41 54 33 32 }
    $dmg = { 6B 6F 6C 79 00 00 00 04 00 00 02 00 }
  condition:
    any of them
}
