rule eicar_test_file {
  meta:
    code = "malware-signature"
    place = "anywhere"
    text = "the EICAR anti-malware test file"
  strings:
    // One byte is left open so that the rule is not the text itself.
    $whole = { 58 35 4F 21 50 25 40 41 50 5B 34 ?? 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24 45 49 43 41 52 2D }
    $wide = { 50 00 5A 00 58 00 35 00 34 00 28 00 50 00 5E 00 29 00 37 00 43 00 43 00 29 00 37 00 7D 00 24 00 45 00 49 00 43 00 41 00 52 00 2D 00 }
    $packed = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" base64
  condition:
    any of them
}
