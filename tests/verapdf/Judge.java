import java.nio.file.Files;
import java.nio.file.Path;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

/** Judges PDF files with veraPDF: java Judge.java FLAVOUR FILE...; prints a line for each broken rule. */
class Judge {
    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var foundry = Foundries.defaultInstance();
        var flavour = PDFAFlavour.byFlavourId(args[0]);
        for (int i = 1; i < args.length; i++) {
            try (var file = Files.newInputStream(Path.of(args[i]));
                    var parser = foundry.createParser(file, flavour);
                    var validator = foundry.createValidator(flavour, false)) {
                var result = validator.validate(parser);
                System.out.println(flavour.getId() + " " + (result.isCompliant() ? "compliant" : "broken"));
                for (TestAssertion broken : result.getTestAssertions()) {
                    System.out.println("  " + broken.getRuleId().getClause() + ": " + broken.getMessage());
                }
            }
        }
    }
}
